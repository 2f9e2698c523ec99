// What the page does in the browser: tooltips on markers, jumps to marked passages, starters.
// Everything is delegated from the document, because the panels are redrawn as an answer grows.
(() => {
  if (window.otsPage) return;
  window.otsPage = true;

  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  // Gradio names the browser's language, if it knows it; words.py knows the page's.
  document.documentElement.lang = window.otsLanguage;
  document.title = otsTexts[otsLanguage]["page.title"];

  // --- What the server hears: a named event with what the element carries in its data. ---
  const send = (element, event, detail) => {
    const said = { ...detail, here: window.otsHere?.() ?? "" };
    element.dispatchEvent(new CustomEvent(`ots:${event}`, { bubbles: true, detail: said }));
  };
  const box = () => document.querySelector("#question textarea");
  const close = (menu) => {
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#stop") && event.detail === 0) box()?.focus();
    const button = event.target.closest?.("button[data-ots]");
    if (!button) return;
    const { ots, from, ...detail } = button.dataset;
    if (from) detail.value = document.getElementById(from).value;
    send(button, ots, detail);
    // What was pressed may vanish. On a phone a tap must not call up the keyboard; keys have no detail.
    if (["starter", "again"].includes(ots) && event.detail === 0) box()?.focus();
    if (button.closest("details.menu")) close(button.closest("details.menu"));
    if (button.closest("#past") && ["open", "new"].includes(ots) && narrow()) drawer(false);
    // The fold closes under the focus: it goes where the keyboard can go on from.
    const fold = button.closest("#past .fold");
    if (fold && ots === "rename") unfold(fold.id);
    else if (fold) {
      fold.hidden = true;
      document.getElementById("past-new").focus();
    }
  });

  // --- The drawer of past conversations, and what folds out in it. ---
  const narrow = () => matchMedia("(max-width: 1100px)").matches;
  const remember = (store, key, value) => {
    try {
      if (value) store().setItem(key, value);
      else store().removeItem(key);
    } catch {
      // A browser that lets nothing be stored forgets, and works on.
    }
  };
  // Gradio writes the panels anew, so what is unfolded is known here and put on each time.
  const unfolded = { past: false, scope: false };
  const showUnfolded = () => {
    for (const [name, open] of Object.entries(unfolded)) {
      document.getElementById("desk")?.classList.toggle(`${name}-open`, open);
      const toggle = document.getElementById(`${name}-toggle`);
      if (toggle && toggle.getAttribute("aria-expanded") !== String(open))
        toggle.setAttribute("aria-expanded", String(open));
    }
  };
  const drawer = (open) => {
    unfolded.past = open;
    showUnfolded();
    if (!narrow()) remember(() => localStorage, "ots-past", open ? "open" : "");
  };
  const unfold = (id) => {
    const fold = document.getElementById(id);
    const open = fold.hidden;
    document.querySelectorAll("#past .fold").forEach((one) => (one.hidden = true));
    fold.hidden = !open;
    (open ? fold.querySelector("input, button") : opener(id))?.focus();
    if (open) fold.querySelector("input")?.select();
  };
  const opener = (id) => document.querySelector(`#past .acts [data-fold="${CSS.escape(id)}"]`);
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    const button = event.target.closest?.("[data-drawer], [data-fold]");
    if (button?.dataset.fold) unfold(button.dataset.fold);
    else if (button) {
      const open = button.dataset.drawer === "toggle" && !unfolded.past;
      drawer(open);
      document.querySelector(open ? "#past button" : "#past-toggle")?.focus();
    } else if (narrow() && unfolded.past && !event.target.closest?.("#past"))
      drawer(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches?.("#past .fold input, .verdict input")) {
      event.preventDefault(); // Else the button that gets the focus now is pressed as well.
      event.target.parentElement.querySelector("[data-from]").click();
    }
    if (event.key !== "Escape") return;
    const fold = event.target.closest?.("#past .fold");
    if (fold) unfold(fold.id);
    else if (event.target.closest?.("#past")) {
      drawer(false);
      document.getElementById("past-toggle")?.focus();
    }
    document.querySelectorAll("details.menu[open]").forEach(close);
  });
  try {
    unfolded.past = !narrow() && localStorage.getItem("ots-past") === "open";
  } catch {
    // See `remember`.
  }

  // --- A saved file that is opened; one that is too large is not even sent. ---
  document.addEventListener("change", async (event) => {
    const file = event.target.id === "import" && event.target.files[0];
    if (!file) return;
    let text = file.size > 4e6 ? "" : await file.text();
    // The guard lets 4 MB through; what is more is longer than any saved conversation.
    if (file.size > 4e6 || new Blob([JSON.stringify(text)]).size > 3.9e6) text = "x".repeat(2000001);
    send(event.target, "reopen", { name: file.name, text });
    event.target.value = "";
    if (narrow()) drawer(false);
  });

  // --- Which articles may answer: remembered in this browser. ---
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("#scope-form .scope");
    if (!form) return;
    const part = (name) => form.querySelector(`[data-scope="${name}"]`);
    const unticked = [...form.querySelectorAll('[data-scope="source"]:not(:checked)')];
    const scope = {
      left_out: unticked.map((box) => box.value),
      publisher: part("publisher").value,
      since: part("since").value,
      until: part("until").value,
      unsure: part("unsure").checked,
    };
    remember(() => localStorage, "ots-scope", JSON.stringify(scope));
    send(form, "scope", { scope });
  });
  const scoping = (open) => {
    unfolded.scope = open;
    showUnfolded();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest?.('[data-scope="toggle"]')) scoping(!unfolded.scope);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !event.target.closest?.("#scope-form")) return;
    scoping(false);
    document.getElementById("scope-toggle")?.focus();
  });

  // --- How questions are answered: remembered in this browser, sent along with the next one. ---
  document.addEventListener("change", (event) => {
    const form = event.target.dataset?.choice && event.target.closest("#choices");
    if (!form) return;
    const part = (name, state = "") => form.querySelector(`[data-choice="${name}"]${state}`);
    const passages = part("passages");
    const number = Math.round(passages.valueAsNumber) || Number(passages.dataset.usual);
    passages.value = Math.min(Math.max(number, passages.min), passages.max);
    window.otsChoice = {
      mode: part("mode", ":checked")?.value ?? "",
      model: part("model")?.value ?? "",
      passages: Number(passages.value),
    };
    remember(() => localStorage, "ots-choice", JSON.stringify(window.otsChoice));
    form.querySelector(".noted").textContent = otsTexts[otsLanguage]["settings.noted"];
  });

  // --- The language of the page: words.py reads the cookie. An answer is let finish first. ---
  const reopen = () => {
    if (document.querySelector(".turn.growing")) setTimeout(reopen, 300);
    else location.reload();
  };
  document.addEventListener("change", (event) => {
    if (event.target.id !== "language") return;
    const year = 365 * 24 * 3600;
    document.cookie = `ots-language=${event.target.value}; path=/; max-age=${year}; samesite=lax`;
    reopen();
  });

  // --- This window's conversation is found again after a reload. ---
  const conversation = () => {
    const bar = document.querySelector("#bar [data-conversation]");
    if (bar) remember(() => sessionStorage, "ots-conversation", bar.dataset.conversation);
  };

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
    const link = event.target.closest?.('a[href^="#"]');
    if (!link || !link.closest("#desk")) return;
    event.preventDefault();
    hide();
    const id = link.getAttribute("href").slice(1);
    if (!document.getElementById(id) && link.matches(".cite")) {
      // The panel shows another question's evidence: ask for this one's first.
      send(link, "evidence", { turn: Number(link.closest(".turn").id.split("-")[1]) });
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
    else {
      const line = otsTexts[otsLanguage]["ask.queue"].replace("{n}", place[1]);
      if (status.dataset.queue !== line) status.dataset.queue = line;
    }
  };

  new MutationObserver(() => {
    settle();
    queue();
    conversation();
    showUnfolded();
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
})();
