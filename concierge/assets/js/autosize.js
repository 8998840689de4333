// <textarea data-autosize> grows with what is written in it.
export function autosize(area) {
  if (CSS.supports("field-sizing", "content")) {
    area.style.fieldSizing = "content";
    return;
  }
  const grow = () => {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  };
  area.addEventListener("input", grow);
  grow();
}
