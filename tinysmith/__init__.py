"""Multi-agent LLM strategies as explicit state machines that you can see, prove and resume."""
