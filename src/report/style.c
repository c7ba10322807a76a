/* SPDX-License-Identifier: MIT
 *
 * Text has a contrast of 4.5 to its ground at least, in light and dark; bars of charts have 3.
 * Numbers are tabular.  On paper it is always light.
 */
#include "report/style.h"

#define LIGHT                                                                                      \
    "--ground:#fff;--panel:#f6f7f9;--ink:#1a1f26;--soft:#57606a;--line:#d5dae0;--grid:#e8ebef;"    \
    "--main:#0a5c9c;--other:#9a5200;--pale:#8fb8d9;--h1:#e3edf5;--h2:#bfd8ea;--h3:#8bb9d9;"        \
    "--h4:#2a76ad;--h5:#0a4f86;--in:#fff;--b:#b06a1b;--c:#4a7a3a;--d:#7b5aa6;--e:#6d7680;"
#define DARK                                                                                       \
    "--ground:#11161c;--panel:#191f27;--ink:#e6eaef;--soft:#a3adb8;--line:#38414b;--grid:#262d36;" \
    "--main:#6db5f0;--other:#e5a55d;--pale:#3a6285;--h1:#1c2b38;--h2:#24435c;--h3:#2d6188;"        \
    "--h4:#6db5f0;--h5:#b5dbfb;--in:#0b1016;--b:#d9944a;--c:#7cb36a;--d:#b294dc;--e:#8d97a2;"

const char anole_style_colours[] = ":root{color-scheme:light dark;" LIGHT "}\n"
                                   "@media (prefers-color-scheme:dark){:root{" DARK "}}\n"
                                   "@media print{:root{color-scheme:light;" LIGHT "}}\n";

const char anole_style_chart[] =
    ".chart text{font:12px system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
    "font-variant-numeric:tabular-nums;fill:var(--ink)}\n"
    ".chart .tick,.chart .name,.chart .cellname{fill:var(--soft);font-size:11px}\n"
    ".chart .cellname{fill:var(--ink)}\n"
    ".chart .in{fill:var(--in);font-size:11px}\n"
    ".chart .value{font-weight:600}\n"
    ".chart .value,.chart .startname{paint-order:stroke;stroke:var(--ground);stroke-width:3px;"
    "stroke-linejoin:round}\n"
    ".chart .startname{fill:var(--other)}\n"
    ".chart path{fill:none}\n"
    ".grid{stroke:var(--grid)}\n"
    ".axis{stroke:var(--soft)}\n"
    ".best,.roof{stroke:var(--main);stroke-width:2;stroke-linejoin:round}\n"
    ".roof{stroke:var(--other);stroke-width:1.5}\n"
    ".start{stroke:var(--other);stroke-width:1.5;stroke-dasharray:5 4}\n"
    ".dots{stroke:var(--pale);stroke-width:2.6;stroke-linecap:round;opacity:.8}\n"
    ".whisker{stroke:var(--main);stroke-width:2}\n"
    ".point{fill:var(--main)}\n"
    ".hollow{fill:var(--ground);stroke:var(--main);stroke-width:1.8}\n"
    ".bar,.p0,.s0{fill:var(--main)}\n"
    ".p1,.s1{fill:var(--b)}.p2,.s2{fill:var(--c)}.p3,.s3{fill:var(--d)}.p4,.s4{fill:var(--e)}\n"
    ".cell{stroke:none}.h0{fill:var(--panel)}.h1{fill:var(--h1)}.h2{fill:var(--h2)}"
    ".h3{fill:var(--h3)}.h4{fill:var(--h4)}.h5{fill:var(--h5)}\n";

const char anole_style_page[] =
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,"
    "'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\n"
    "main,header,footer{max-width:1280px;margin:0 auto;padding:0 28px}\n"
    "header{padding-top:36px}\n"
    "h1{font-size:28px;line-height:1.2;margin:0 0 4px;font-weight:650;overflow-wrap:anywhere}\n"
    "h2{font-size:20px;margin:44px 0 10px;padding-top:14px;border-top:1px solid var(--line)}\n"
    "h3{font-size:15px;margin:20px 0 8px;overflow-wrap:anywhere}\n"
    "p{max-width:75ch;margin:8px 0}\n"
    ".soft,figcaption,caption{color:var(--soft)}\n"
    ".over{text-transform:uppercase;letter-spacing:.08em;font-size:12px;color:var(--soft);"
    "margin:0}\n"
    "nav{margin:14px 0 0}nav ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;"
    "gap:4px 18px}\n"
    "a{color:var(--main)}a:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--other);"
    "outline-offset:2px}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:14px;"
    "margin:24px 0 0;padding:0}\n"
    ".card{background:var(--panel);border:1px solid var(--line);border-radius:8px;"
    "padding:14px 16px}\n"
    ".card dt{color:var(--soft);font-size:13px}\n"
    ".card dd{margin:2px 0 0;font-size:26px;line-height:1.25;font-weight:650;"
    "font-variant-numeric:tabular-nums}\n"
    ".card dd+dd{font-size:13px;font-weight:400;color:var(--soft)}\n"
    ".side{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,520px),1fr));"
    "gap:8px 32px;align-items:start}\n"
    ".side>*{min-width:0}\n"
    "figure{margin:8px 0 18px}figcaption{font-size:13px;margin-top:4px;max-width:75ch}\n"
    ".chart{max-width:100%;height:auto;display:block}\n"
    ".scroll{overflow-x:auto}\n"
    "table{border-collapse:collapse;margin:0 0 "
    "16px;font-variant-numeric:tabular-nums;font-size:14px}\n"
    "caption{text-align:left;padding:0 0 6px;font-size:13px}\n"
    "th,td{text-align:left;padding:5px 12px 5px 0;border-bottom:1px solid var(--line);"
    "vertical-align:top;white-space:nowrap}\n"
    "thead th{color:var(--soft);font-weight:600;font-size:13px}\n"
    "tbody th{font-weight:500}\n"
    ".n{text-align:right}\n"
    ".long{white-space:normal;overflow-wrap:anywhere;min-width:26ch}\n"
    "code{font:12.5px/1.45 ui-monospace,'DejaVu Sans Mono',monospace;color:var(--soft)}\n"
    ".meter{display:inline-block;width:70px;height:9px;background:var(--grid);margin-left:8px}\n"
    ".meter i{display:block;height:100%;background:var(--main)}\n"
    "footer{color:var(--soft);font-size:13px;margin-top:48px;padding-bottom:32px}\n"
    "@media print{@page{margin:14mm}body{font-size:10.5pt}nav{display:none}"
    "main,header,footer{max-width:none;padding:0}h2{break-after:avoid}h3{break-after:avoid}"
    "figure,.card,tr{break-inside:avoid}.scroll{overflow:visible}"
    "th,td{white-space:normal}.card{background:none}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}a{color:inherit}}\n";
