// Everything a page may need; each part looks for its data attributes and does nothing without them.
import "./htmx.js";
import "./theme.js";
import "./menus.js";
import "./dialogs.js";
import "./keys.js";
import "./pickers.js";
import "./live.js";
import "./panes.js";
import "./undo.js";
import "./autosave.js";
import "./insert.js";
import { whenAdded } from "./added.js";
import { autosize } from "./autosize.js";
import { complete } from "./completion.js";
import { livePreview } from "./preview.js";
import { keepTimes } from "./times.js";
import { submitOnce } from "./once.js";

keepTimes();
submitOnce();
whenAdded("textarea[data-autosize]", autosize);
whenAdded("textarea[data-complete], input[data-complete]", complete);
whenAdded("form[data-preview]", livePreview);
// The rich editor is large: it comes only with a page that has a composer.
whenAdded("[data-rich]", (home) => import("./composer.js").then(({ enrich }) => enrich(home)));
