// The progress of an import: asked every second; when it is over the page is loaded anew.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const page = document.getElementById("import");
    if (!page || !page.dataset.active) {
        return;
    }
    const state = document.getElementById("import-state").textContent;

    async function look() {
        try {
            const answer = await fetch(page.dataset.progress, { headers: { Accept: "application/json" } });
            const told = await answer.json();
            if (!told.active || told.text.toLowerCase() !== state.toLowerCase()) {
                location.reload();
                return;
            }
            document.getElementById("import-done").textContent = told.done.toLocaleString("en");
            document.getElementById("import-bar").style.width = `${told.percent}%`;
        } catch {
            // The next look may succeed.
        }
        setTimeout(look, 1000);
    }

    setTimeout(look, 600);
});
