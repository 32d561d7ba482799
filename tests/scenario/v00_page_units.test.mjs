// The page's own functions, without a browser.
import '../web/patch.test.mjs';
import '../web/delta.test.mjs';
import '../web/page_parts.test.mjs';
import '../web/player.test.mjs';
import '../web/analysis.test.mjs';
