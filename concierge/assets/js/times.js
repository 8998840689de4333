// <time data-waiting> and <time data-ago> keep saying how long; <time data-local> is said in the reader's own zone.
const language = document.documentElement.lang || "en";
const page = Date.parse(document.querySelector('meta[name="now"]')?.content ?? "");
const ahead = Number.isNaN(page) ? 0 : page - Date.now(); // the house's clock decides, not this machine's
const unit = (name) => new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "narrow" });
const minutes = unit("minute"), hours = unit("hour"), days = unit("day");
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" });

export function waiting(milliseconds) {
  const whole = Math.max(0, Math.floor(milliseconds / 60_000));
  if (whole < 60) return minutes.format(whole);
  if (whole < 24 * 60) return whole < 600 && whole % 60 ? `${hours.format(Math.floor(whole / 60))} ${minutes.format(whole % 60)}` : hours.format(Math.floor(whole / 60));
  return days.format(Math.floor(whole / 1440));
}

function local(moment, now, withTime) {
  if (moment.toDateString() === now.toDateString()) return clock.format(moment);
  const date = (moment.getFullYear() === now.getFullYear() ? day : dayOfYear).format(moment);
  return withTime ? `${date}, ${clock.format(moment)}` : date;
}

function sweep() {
  const now = new Date(Date.now() + ahead);
  for (const element of document.querySelectorAll("time[data-waiting], time[data-ago], time[data-local]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const long = "local" in element.dataset;
    const text = long || ("ago" in element.dataset && now - moment > 86_400_000) ? local(moment, now, long) : waiting(now - moment);
    if (element.textContent !== text) element.textContent = text;
  }
}

export function keepTimes() {
  sweep();
  setInterval(sweep, 20_000);
  document.addEventListener("visibilitychange", sweep);
  document.addEventListener("htmx:afterSwap", sweep);
}
