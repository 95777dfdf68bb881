// Chinese input: while pinyin is being put together, what stands in a field is not yet what is meant. Nothing hears of
// it (no request, no filter, no draft) until the characters stand there.
document.addEventListener("input", (event) => event.isComposing && event.stopImmediatePropagation(), true);
document.addEventListener("compositionend", (event) => {
  event.target.dispatchEvent(new InputEvent("input", { bubbles: true, data: event.data, inputType: "insertText" }));
});
