// The demo page's only button of its own: copies the command.

const button = document.getElementById("copy");
const label = button.textContent;

button.addEventListener("click", async () => {
  const command = document.getElementById("command");
  try {
    await navigator.clipboard.writeText(command.textContent);
    button.textContent = button.dataset.done;
  } catch {
    getSelection().selectAllChildren(command);
    button.textContent = button.dataset.manual;
  }
  setTimeout(() => (button.textContent = label), 2000);
});
