// Comfort only: every page does its work without this file. Shows a password on demand, warns two minutes before an
// idle session ends. (The focus on a summary of errors is `autofocus`, which needs no script.)
"use strict";

for (const zone of document.querySelectorAll(".mot-de-passe")) {
  const field = zone.querySelector("input");
  const button = document.createElement("button");
  const announced = document.createElement("span");
  button.type = "button";
  button.setAttribute("aria-controls", field.id);
  announced.className = "invisible";
  announced.setAttribute("role", "status");

  const show = (visible, say = true) => {
    field.type = visible ? "text" : "password";
    button.setAttribute("aria-pressed", String(visible));
    button.textContent = visible ? zone.dataset.masquer : zone.dataset.afficher;
    if (say) announced.textContent = visible ? zone.dataset.visible : zone.dataset.masque;
  };

  button.addEventListener("click", () => show(field.type === "password"));
  // Back to hidden before it is sent, so that no browser keeps it as an ordinary text; and on a page shown again.
  field.form?.addEventListener("submit", () => show(false, false));
  addEventListener("pageshow", () => show(false, false));
  show(false, false);
  zone.append(button, announced);
}

const dialog = document.getElementById("fin-de-session");
const idle = Number(document.body.dataset.sessionIdle) * 1000;

if (dialog && idle && dialog.showModal) {
  const WARNING = 120_000;
  const text = document.getElementById("fin-de-session-texte");
  // One session, several tabs: what keeps it open in one of them is told to the others.
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("session") : null;
  let end;

  const restart = () => {
    end = Date.now() + idle;
    if (dialog.open) dialog.close();
  };

  const extend = async () => {
    const answer = await fetch(dialog.dataset.prolonger, {
      method: "POST",
      headers: { "X-CSRFToken": dialog.dataset.csrf },
    }).catch(() => null);
    if (answer?.ok) {
      restart();
      tabs?.postMessage("here");
    } else {
      // It has ended meanwhile: the server says so, and how to go on.
      location.reload();
    }
  };

  const tick = () => {
    const left = end - Date.now();
    if (left <= -2000) {
      location.replace(location.href.split("#")[0]);
    } else if (left <= WARNING) {
      const step = [30, 60, 120].find((seconds) => left <= seconds * 1000);
      const sentence = text.getAttribute(`data-reste-${step}`);
      if (text.textContent !== sentence) text.textContent = sentence;
      if (!dialog.open) dialog.showModal();
    }
  };

  dialog.querySelector("[data-rester]").addEventListener("click", extend);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    extend();
  });
  tabs?.addEventListener("message", restart);
  tabs?.postMessage("here");
  restart();
  setInterval(tick, 1000);
}
