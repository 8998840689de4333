"""What mails have tried, after the public lists (OWASP, PortSwigger, html5sec): scripts, remote loads, look-alikes."""

# Each would say so in the title of whatever page it runs in, and to those who look from outside.
SAY = "(top||self).said=1;document.title='it ran';console.log('it ran')"

SCRIPTS = (
    f"<script>{SAY}</script>",
    f'<img src=x onerror="{SAY}">',
    f'<svg onload="{SAY}"></svg>',
    f'<svg><animate onbegin="{SAY}" attributeName=x dur=1s></animate></svg>',
    f"<svg><script>{SAY}</script></svg>",
    f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={SAY}&gt;">'
    "</table></math>",
    f'<math><annotation-xml encoding="text/html"><img src=x onerror="{SAY}"></annotation-xml></math>',
    f'<details open ontoggle="{SAY}">x</details>',
    f'<iframe srcdoc="<script>{SAY}</script>"></iframe>',
    f'<body onpageshow="{SAY}">',
    f'<video><source onerror="{SAY}"></video>',
    f'<input autofocus onfocus="{SAY}">',
    f'<noscript><p title="</noscript><img src=x onerror={SAY}>"></noscript>',
    f'<a id=link href="javascript:{SAY}">Click me</a>',
    f'<form action="javascript:{SAY}"><button>Click me too</button></form>',
    '<meta http-equiv="refresh" content="0;url=https://example.invalid/">',
    '<base href="https://example.invalid/">',
    # spelt so that a filter of words does not see them
    f"<scr<script>ipt>{SAY}</scr</script>ipt>",
    f'"><script>{SAY}</script>',
    f"<ScRiPt x>{SAY}</sCrIpT>",
    f"<script/src=data:,{SAY}></script>",
    f'<IMG SRC=x OnErRoR="{SAY}">',
    f'<img src=x onerror\x0c="{SAY}">',
    f"<img/src=`x`onerror={SAY}>",
    f'<img """><script>{SAY}</script>">',
    f"<<script>{SAY}//<</script>",
    f'<a href="jav&#x09;ascript:{SAY}">a tab</a><a href="&#14; javascript:{SAY}">a space</a>',
    f'<a href="JaVaScRiPt&colon;{SAY}">an entity</a><a href="data:text/html,<script>{SAY}</script>">data</a>',
    f'<a href="vbscript:{SAY}">old</a><area href="javascript:{SAY}">',
    # by every kind of event, and by elements nobody thinks of
    f'<p style="animation:x 1s" onanimationstart="{SAY}" onpointerover="{SAY}" onclick="{SAY}">Stroke me</p>',
    f'<style>@keyframes x{{}}</style><b style="animation-name:x" onanimationend="{SAY}">x</b>',
    f'<marquee onstart="{SAY}">x</marquee><video onloadstart="{SAY}" src=x></video>',
    f'<audio src=x onerror="{SAY}"></audio><object data=x onerror="{SAY}"></object><embed src="javascript:{SAY}">',
    f'<select autofocus onfocus="{SAY}"></select><textarea autofocus onfocus="{SAY}"></textarea>',
    f'<div contenteditable autofocus onfocus="{SAY}">x</div><xss tabindex=1 autofocus onfocus="{SAY}">x</xss>',
    f'<button popovertarget=p onclick="{SAY}">x</button><div popover id=p onbeforetoggle="{SAY}">x</div>',
    f'<dialog open onclose="{SAY}"><form method=dialog><button autofocus>x</button></form></dialog>',
    f'<body onload="{SAY}" onhashchange="{SAY}" onfocus="{SAY}"><frameset onload="{SAY}"></frameset>',
    f'<svg><a xlink:href="javascript:{SAY}"><text y=20>x</text></a><set onbegin="{SAY}" attributeName=x /></svg>',
    f'<svg><use href="data:image/svg+xml,<svg id=a xmlns=http://www.w3.org/2000/svg onload={SAY}></svg>#a"/></svg>',
    f"<svg><foreignObject><iframe srcdoc='<script>{SAY}</script>'></iframe></foreignObject></svg>",
    f'<link rel=import href="data:text/html,<script>{SAY}</script>"><link rel=stylesheet href="javascript:{SAY}">',
    f"<template><script>{SAY}</script></template><p><template shadowrootmode=open><script>{SAY}</script></template>",
    # bred in the cleaning itself: what is harmless before it is written again, and is not after
    f'<svg><style><img title="</style><img src=x onerror={SAY}>"></style></svg>',
    f'<form><math><mtext></form><form><mglyph><style></math><img src onerror="{SAY}"></style></mglyph></form>',
    f'<math><mi><table><mglyph><style><math><table id="</table>"><img src=x onerror="{SAY}">',
    f'<xmp><p title="</xmp><img src=x onerror={SAY}>"></xmp><plaintext-x><title><img src=x onerror={SAY}></title>',
    f'<!--><img src=x onerror="{SAY}">--><![CDATA[<img src=x onerror="{SAY}">]]><?xml <img src=x onerror="{SAY}">?>',
    f'<p id="<img src=x onerror={SAY}>">x</p><img alt="`><script>{SAY}</script>">',
    f'<div style="width:expression({SAY});behavior:url(x.htc);-moz-binding:url(x.xml#x)">x</div>',
)

# What lies over our page, or looks like a part of it.
OVERLAYS = (
    '<div style="position:fixed;inset:0;z-index:2147483647;background:#fff">Sign in again: <input></div>',
    '<div style="position:absolute;top:-500px;left:-500px;width:5000px;height:5000px;background:#fff">x</div>',
    '<div style="position:sticky;top:-900px;margin:-900px;transform:translate(-50vw,-90vh) scale(9)">x</div>',
    '<dialog open style="width:100vw;height:100vh">Your session is over <input type=password></dialog>',
    '<div popover=manual id=p>x</div><iframe style="position:fixed;inset:0" src="/sign-in"></iframe>',
    "<style>html,body{position:fixed;top:-900px;z-index:99999}.message__foot,.button{display:none!important}</style>",
    '<div class="banner banner--danger" id="toasts" role="alertdialog"><a class="button" href="https://evil.invalid/">'
    "Sign in again</a></div>",
)


def fetching(url: str) -> str:
    """Everything a mail may try to make a browser fetch, each under a name of its own; pictures are among them."""
    links = "".join(
        f'<link rel="{rel}" as=image href="{url}/link-{rel.split()[0]}">'
        for rel in ("stylesheet", "prefetch", "preload", "modulepreload", "icon", "manifest", "prerender", "import")
    )
    properties = "".join(
        f"<p style=\"{name}:{value}('{url}/css-{name}')\">x</p>"
        for name in ("background", "list-style", "cursor", "border-image", "mask", "filter", "clip-path", "content")
        for value in ("url",)
    )
    bare = url.removeprefix("http:")
    return f"""
        <html manifest="{url}/manifest"><head>{links}
        <link rel="preconnect dns-prefetch" href="{url}/"><script src="{url}/script"></script>
        <style>@import "{url}/import"; @import url({url}/import-url) screen; p {{ font-family: x }}
        @font-face {{ font-family: x; src: local(no), url({url}/font) }}
        @\\69mport "{url}/import-escaped"; td::before {{ content: url({url}/before) }}
        @media all {{ td {{ background: u\\72l({url}/escaped) }} }} :root {{ --x: url({url}/variable) }}
        @counter-style c {{ system: cyclic; symbols: url({url}/counter) }} ol {{ list-style: c }}
        p {{ background: image-set("{url}/image-set" 1x); shape-outside: url({url}/shape); -webkit-mask: var(--x) }}
        </style></head>
        <body background="{url}/body"><p style="background:url({url}/style)">Dear house,</p>
        <p style="background:u&#92;72l({url}/style-escaped)">x</p><p style='background:/**/url("{url}/commented")'>x</p>
        {properties}<ol><li>x</ol>
        <table background="{url}/table"><tr><td background="{url}/cell">see the picture:</td></tr></table>
        <img alt="A pair of shoes" width=40 height=40 src="{url}/picture"><img srcset="{url}/srcset 1x">
        <img src="{bare}/no-scheme"><img src=" {url}/spaced"><img lowsrc="{url}/lowsrc" dynsrc="{url}/dynsrc">
        <picture><source srcset="{url}/source"><img src="{url}/in-picture"></picture>
        <video poster="{url}/poster" src="{url}/video" autoplay><track default src="{url}/track"></video>
        <audio src="{url}/audio" autoplay></audio><bgsound src="{url}/sound">
        <object data="{url}/object"><param name=src value="{url}/param"></object><applet code="{url}/applet"></applet>
        <embed src="{url}/embed"><input type=image src="{url}/input"><iframe src="{url}/frame"></iframe>
        <frameset><frame src="{url}/old-frame"></frameset><portal src="{url}/portal"></portal>
        <svg><image href="{url}/svg-image"/><image xlink:href="{url}/xlink"/><use href="{url}/use#a"/>
        <filter id=f><feImage href="{url}/fe-image"/></filter>
        <rect filter="url({url}/svg-filter#f)" fill="url({url}/fill)"/>
        <style>@import "{url}/svg-style";</style></svg>
        <math><mi xlink:href="{url}/math">x</mi></math><template><img src="{url}/template"></template>
        <meta http-equiv=refresh content="0;url={url}/refresh"><meta http-equiv=Link content="<{url}/meta>;rel=preload">
        <a href="https://example.com/" ping="{url}/ping">x</a><noscript><img src="{url}/noscript"></noscript>
        <!--[if true]><img src="{url}/conditional"><![endif]--></body></html>"""


# The only ways by which a mail may fetch anything, once an editor has asked to see its pictures.
PICTURES = frozenset({"/picture", "/srcset", "/source", "/in-picture", "/no-scheme", "/spaced", "/noscript"})
