// What the page does in the browser: tooltips on markers, jumps to marked passages, starters.
// Everything is delegated from the document, because the panels are redrawn as an answer grows.
(() => {
  if (window.otsPage) return;
  window.otsPage = true;

  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  // --- Tooltip: one floating element, filled from the hidden text beside the answer. ---
  const tip = document.createElement("div");
  tip.id = "ots-tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true"); // Readers get the same through aria-describedby.
  document.body.append(tip);
  let shownFor = null;

  const place = (marker) => {
    const at = marker.getBoundingClientRect();
    const gap = 8;
    const left = at.left + at.width / 2 - tip.offsetWidth / 2;
    const most = document.documentElement.clientWidth - tip.offsetWidth - gap;
    const above = at.top - tip.offsetHeight - gap;
    tip.style.left = `${Math.max(gap, Math.min(left, most))}px`;
    tip.style.top = `${above >= gap ? above : at.bottom + gap}px`;
  };
  const show = (marker) => {
    const text = document.getElementById(marker.getAttribute("aria-describedby"));
    if (!text) return;
    tip.replaceChildren(...[...text.childNodes].map((node) => node.cloneNode(true)));
    tip.hidden = false;
    shownFor = marker;
    place(marker);
  };
  let hiding = 0;
  const hide = () => {
    tip.hidden = true;
    shownFor = null;
  };
  const hideSoon = () => {
    clearTimeout(hiding);
    hiding = setTimeout(hide, 120); // Time to move onto the tooltip itself.
  };
  const marker = (event) => event.target.closest?.("a.cite");

  document.addEventListener("mouseover", (event) => {
    if (event.target.closest?.("#ots-tip")) clearTimeout(hiding);
    else if (marker(event)) {
      clearTimeout(hiding);
      show(marker(event));
    } else if (shownFor && shownFor !== document.activeElement) hideSoon();
  });
  document.addEventListener("focusin", (event) => {
    if (marker(event)?.matches(":focus-visible")) show(marker(event));
  });
  document.addEventListener("focusout", (event) => marker(event) && hide());
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("scroll", () => shownFor && place(shownFor), true);

  // --- Jumps: from a marker to its quote, from a quote back to the answer. ---
  const highlight = (id) => {
    document.querySelectorAll(".lit").forEach((one) => one.classList.remove("lit"));
    const name = CSS.escape(`at-${id}`);
    document.querySelectorAll(`#evidence .${name}`).forEach((one) => one.classList.add("lit"));
    document.getElementById(id)?.classList.add("lit");
  };
  const arrive = (target, id) => {
    for (let up = target.parentElement; up; up = up.parentElement)
      if (up.tagName === "DETAILS") up.open = true;
    highlight(id);
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "center", behavior: still() ? "auto" : "smooth" });
  };
  const whenThere = (id, then, patience = 50) => {
    const target = document.getElementById(id);
    if (target) then(target);
    else if (patience > 0) setTimeout(() => whenThere(id, then, patience - 1), 60);
  };

  document.addEventListener("click", (event) => {
    const starter = event.target.closest?.("button.starter");
    if (starter) {
      const index = Number(starter.dataset.index);
      starter.dispatchEvent(new CustomEvent("ots:starter", { bubbles: true, detail: { index } }));
      return;
    }
    const link = event.target.closest?.('a[href^="#"]');
    if (!link || !link.closest("#desk")) return;
    event.preventDefault();
    hide();
    const id = link.getAttribute("href").slice(1);
    if (!document.getElementById(id) && link.matches(".cite")) {
      // The panel shows another question's evidence: ask for this one's first.
      const turn = Number(link.closest(".turn").id.split("-")[1]);
      link.dispatchEvent(new CustomEvent("ots:evidence", { bubbles: true, detail: { turn } }));
    }
    whenThere(id, (target) => arrive(target, id));
  });

  // --- A new question is scrolled to the top of the conversation; a growing one stays put. ---
  let turns = 0;
  const settle = () => {
    const all = document.querySelectorAll("#conversation .turn");
    if (all.length > turns) {
      const last = all[all.length - 1];
      const room = last.closest(".scroll");
      room.scrollTo({ top: last.offsetTop - 12, behavior: still() ? "auto" : "smooth" });
      const panel = document.querySelector("#evidence .scroll");
      if (panel) panel.scrollTop = 0;
    }
    turns = all.length;
  };
  new MutationObserver(settle).observe(document.body, { childList: true, subtree: true });
})();
