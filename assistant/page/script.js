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

  // A page that scrolls under a resting pointer is no wish to see anything.
  let pointer = "";
  const moved = (event) => {
    const before = pointer;
    pointer = `${event.clientX},${event.clientY}`;
    return pointer !== before;
  };

  document.addEventListener("mouseover", (event) => {
    if (!moved(event)) return;
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
    document.querySelectorAll(`a.cite[href="#${CSS.escape(id)}"]`).forEach((one) => {
      one.classList.add("lit");
    });
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

  // --- A new question comes to the top; a finished answer brings its first quote into sight. ---
  let turns = 0;
  let growing = false;
  const settle = () => {
    const all = document.querySelectorAll("#conversation .turn");
    const last = all[all.length - 1];
    const panel = document.querySelector("#evidence .scroll");
    if (all.length > turns) {
      hide();
      last.scrollIntoView({ block: "start", behavior: still() ? "auto" : "smooth" });
      panel.scrollTop = 0;
    }
    turns = all.length;
    const grew = growing;
    growing = Boolean(last?.classList.contains("growing"));
    const first = document.getElementById(`quote-${turns}-1`);
    // A panel that someone has scrolled is being read; on a phone it is not in sight anyway.
    if (grew && !growing && first && panel.scrollTop === 0 && panel.scrollHeight > panel.clientHeight)
      panel.scrollTo({
        top: first.getBoundingClientRect().top - panel.getBoundingClientRect().top - 160,
        behavior: still() ? "auto" : "smooth",
      });
  };
  // --- The place in the queue, in words. ---
  const queue = () => {
    const status = document.getElementById("status");
    const place = status?.querySelector(".progress-text")?.textContent.match(/queue: (\d+)/);
    if (!place) status?.removeAttribute("data-queue");
    else if (status.dataset.queue !== `Others asked first; yours is number ${place[1]} in line.`)
      status.dataset.queue = `Others asked first; yours is number ${place[1]} in line.`;
  };

  new MutationObserver(() => {
    settle();
    queue();
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
})();
