// What the Sources tab does in the browser; see sources_routes.py for what it talks to.
(() => {
  if (window.otsSources) return;
  window.otsSources = true;

  const redraw = () => {
    const within = document.querySelector("#source-list ul");
    within?.dispatchEvent(new CustomEvent("ots:sources", { bubbles: true, detail: {} }));
  };

  // --- Sources: files dropped or chosen, addresses pasted. Each is told of while it is read. ---
  const said = (key, values = {}) =>
    otsTexts[otsLanguage][`sources.${key}`].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const changeSource = async (act, name, body, query = "") => {
    const item = document.createElement("li");
    item.textContent = said("reading", { name });
    document.getElementById("source-news").prepend(item);
    let reply;
    try {
      const type = act === "file" ? "application/octet-stream" : "application/json";
      const sent = { method: "POST", body, headers: { "Content-Type": type } };
      reply = await (await fetch(`sources/${act}${query}`, sent)).json();
    } catch {
      reply = { what: "refused", reason: said("unreachable") };
    }
    const what = { restore: "restored", edit: "edited" }[act];
    const done = reply.what !== "refused";
    item.textContent = said(done && what ? what : reply.what, { name, why: reply.reason });
    item.classList.toggle("refused", !done);
    if (reply.what === "removed" || (act === "file" && reply.what === "changed")) {
      const undo = document.createElement("button");
      Object.assign(undo, { type: "button", className: "plain", textContent: said("undo") });
      Object.assign(undo.dataset, { source: "restore", id: reply.id, name });
      item.append(" ", undo);
    }
    if (done) redraw();
  };
  const addFiles = async (files) => {
    const most = Number(document.getElementById("source-drop").dataset.most);
    for (const file of files) {
      const query = `?name=${encodeURIComponent(file.name)}`;
      if (file.size <= most) await changeSource("file", file.name, file, query);
      else {
        const item = document.createElement("li");
        item.className = "refused";
        item.textContent = said("refused", { name: file.name, why: said("too_large") });
        document.getElementById("source-news").prepend(item);
      }
    }
  };
  const addAddress = () => {
    const box = document.getElementById("source-address");
    const address = box.value.trim();
    if (address) changeSource("address", address, JSON.stringify({ address }));
    box.value = "";
  };
  document.addEventListener("change", async (event) => {
    if (event.target.id !== "source-files") return;
    const files = [...event.target.files];
    event.target.value = "";
    await addFiles(files);
  });
  for (const kind of ["dragover", "dragleave", "drop"])
    document.addEventListener(kind, (event) => {
      const zone = document.getElementById("source-drop");
      if (!zone || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault(); // Else the browser would leave the page for the file.
      const over = zone.contains(event.target);
      zone.classList.toggle("over", kind === "dragover" && over);
      if (kind === "drop" && over) addFiles([...event.dataTransfer.files]);
    });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.id === "source-address") addAddress();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-source]");
    if (!button) return;
    const { source, id, name } = button.dataset;
    if (source === "address") addAddress();
    else if (source === "fold") {
      const fold = document.getElementById(id);
      fold.hidden = !fold.hidden;
      button.setAttribute("aria-expanded", String(!fold.hidden));
      if (!fold.hidden) fold.querySelector("input").focus();
    } else {
      const inputs = source === "edit" ? [...button.parentElement.querySelectorAll("input")] : [];
      const values = Object.fromEntries(inputs.map((one) => [one.name, one.value]));
      changeSource(source, name, JSON.stringify({ id, ...values }));
      if (source === "restore") button.remove();
      document.getElementById("source-files")?.focus(); // What was pressed may vanish.
    }
  });
})();
