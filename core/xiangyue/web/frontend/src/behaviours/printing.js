// A button that prints the page: phones hide the browser's own.
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-print]")) window.print();
});
