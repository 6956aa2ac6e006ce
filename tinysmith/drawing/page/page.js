"use strict";
// Pan, zoom and tooltips: the view is a window on the picture, in the picture's own units.
(() => {
    const stage = document.querySelector("main");
    const picture = stage.querySelector("svg");
    const tip = document.getElementById("tip");
    const whole = picture.viewBox.baseVal;
    const full = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
    let view = { ...full };
    picture.removeAttribute("width");
    picture.removeAttribute("height");

    function show() {
        picture.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
    }

    function at(x, y) {
        const point = new DOMPoint(x, y).matrixTransform(picture.getScreenCTM().inverse());
        return { x: point.x, y: point.y };
    }

    function centre() {
        const box = stage.getBoundingClientRect();
        return at(box.left + box.width / 2, box.top + box.height / 2);
    }

    function zoom(by, point) {
        const width = Math.min(Math.max(view.width / by, full.width / 20), full.width * 4);
        const scale = width / view.width;
        view = {
            x: point.x - (point.x - view.x) * scale,
            y: point.y - (point.y - view.y) * scale,
            width,
            height: view.height * scale,
        };
        show();
    }

    function move(x, y) {
        view.x += x;
        view.y += y;
        show();
    }

    function fit() {
        view = { ...full };
        show();
    }

    const actions = { "in": () => zoom(1.25, centre()), "out": () => zoom(0.8, centre()), "fit": fit };
    for (const button of document.querySelectorAll("button")) {
        button.addEventListener("click", actions[button.value]);
    }

    const keys = {
        "+": actions.in, "=": actions.in, "-": actions.out, "0": fit,
        "ArrowLeft": () => move(-view.width / 10, 0), "ArrowRight": () => move(view.width / 10, 0),
        "ArrowUp": () => move(0, -view.height / 10), "ArrowDown": () => move(0, view.height / 10),
        "Escape": () => { tip.hidden = true; },
    };
    addEventListener("keydown", (event) => {
        if (event.key in keys && !event.ctrlKey && !event.metaKey && !event.altKey) {
            event.preventDefault();
            keys[event.key]();
        }
    });

    stage.addEventListener("wheel", (event) => {
        event.preventDefault();
        zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), at(event.clientX, event.clientY));
    }, { passive: false });

    // One pointer drags; two of them pinch.
    const held = new Map();
    const spread = () => {
        const [one, other] = [...held.values()];
        return Math.hypot(one.x - other.x, one.y - other.y);
    };
    stage.addEventListener("pointerdown", (event) => {
        stage.setPointerCapture(event.pointerId);
        stage.classList.add("dragged");
        held.set(event.pointerId, { x: event.clientX, y: event.clientY });
        tip.hidden = true;
    });
    stage.addEventListener("pointermove", (event) => {
        const before = held.get(event.pointerId);
        if (!before) {
            return;
        }
        const old = held.size === 2 ? spread() : 0;
        held.set(event.pointerId, { x: event.clientX, y: event.clientY });
        if (held.size === 2) {
            const [one, other] = [...held.values()];
            zoom(spread() / Math.max(old, 1), at((one.x + other.x) / 2, (one.y + other.y) / 2));
        } else {
            const [from, to] = [at(before.x, before.y), at(event.clientX, event.clientY)];
            move(from.x - to.x, from.y - to.y);
        }
    });
    for (const end of ["pointerup", "pointercancel"]) {
        stage.addEventListener(end, (event) => {
            held.delete(event.pointerId);
            stage.classList.toggle("dragged", held.size > 0);
        });
    }

    // The browser's own tooltips come late, and neither to a keyboard nor to a finger; these take their place.
    function tell(part, x, y) {
        tip.textContent = part.dataset.tip;
        tip.hidden = false;
        const box = tip.getBoundingClientRect();
        tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - box.width - 4))}px`;
        tip.style.top = `${y + 18 + box.height > innerHeight ? Math.max(4, y - box.height - 10) : y + 18}px`;
    }
    for (const title of picture.querySelectorAll("title")) {
        const part = title.parentElement;
        const name = [...part.querySelectorAll("text")].map((text) => text.textContent.trim()).join(", ");
        part.setAttribute("aria-label", name ? `${name}: ${title.textContent}` : title.textContent);
        if (part.matches(".node, .edge")) {
            part.dataset.tip = title.textContent;
            part.setAttribute("role", "img");
            part.setAttribute("tabindex", "0");
            part.addEventListener("pointermove", (event) => {
                if (!held.size) {
                    tell(part, event.clientX, event.clientY);
                }
            });
            part.addEventListener("pointerleave", () => { tip.hidden = true; });
            part.addEventListener("focus", () => {
                const box = part.getBoundingClientRect();
                tell(part, box.left + box.width / 2, box.bottom - 14);
            });
            part.addEventListener("blur", () => { tip.hidden = true; });
        }
        title.remove();
    }
})();
