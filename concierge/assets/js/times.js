// <time data-waiting datetime="…"> keeps saying how long. The words are those of concierge/web/filters.py, so nothing changes
// when this script arrives; the house's clock decides, not this machine's.
const page = document.querySelector('meta[name="now"]');
const words = page?.dataset ?? {};
const ahead = page ? Date.parse(page.content) - Date.now() : 0;
const say = (pattern, count) => pattern.replace("#", String(count));

export function waiting(milliseconds) {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return say(words.minutes, minutes);
  if (hours < 10 && minutes % 60) return `${say(words.hours, hours)} ${say(words.minutes, minutes % 60)}`;
  return hours < 24 ? say(words.hours, hours) : say(words.days, Math.floor(hours / 24));
}

function sweep() {
  const now = Date.now() + ahead;
  for (const element of document.querySelectorAll("time[data-waiting]")) {
    const text = waiting(now - Date.parse(element.dateTime));
    if (element.textContent !== text) element.textContent = text;
  }
}

export function keepTimes() {
  if (!words.minutes) return;
  setInterval(sweep, 20_000);
  document.addEventListener("visibilitychange", sweep);
}
