"""The models: whatever answers a prompt."""
