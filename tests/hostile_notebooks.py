"""Executed notebooks that mean harm: what each brings to a page, to a terminal, to a folder.

They are built by code on one small notebook that is whole, so each differs from it in one thing.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pandas as pd
from PIL import Image

from opslab.evidence import FILES_TYPE, RECORD_TYPE
from opslab.report.figures import Figure, framed, style
from opslab.version import __version__

GIVEN = {"spec": "data/sample/checkout.yaml", "as_of": "2026-09-28", "language": "en"}
SCRIPT = "<script>window.pwned=1;document.title='pwned';alert(1)</script>"
REFRESH = '<meta http-equiv="refresh" content="0;url=https://pwned.invalid/">'
OUT = f'">{REFRESH}{SCRIPT}<img src=x onerror="window.pwned=1;alert(2)"><p class="'
CONTROLS = "\x1b[31mred\x1b]0;title\x07\x9b2J\u202eright to left\u2066\u200f\r\x00"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">{}</svg>'
Notebook = dict[str, Any]


def picture(form: str, size: tuple[int, int] = (3, 2), frames: int = 0) -> bytes:
    stream = io.BytesIO()
    more = {"save_all": True, "append_images": [Image.new("RGB", size, "red")] * frames}
    Image.new("RGB", size).save(stream, form, **(more if frames else {}))
    return stream.getvalue()


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """Return a small PNG of very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


def in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def whole(inputs: list[dict[str, str]]) -> Notebook:
    """Return the notebook that means no harm."""
    source = "\n".join(f"{name} = {value!r}" for name, value in GIVEN.items())
    record = {"status": "complete", "as_of": GIVEN["as_of"], "inputs": inputs}
    about = {"language": "en", "opslab": __version__, "action": "Ship", "tone": "good"}
    screen = "<div class='opslab'><h1>Kept</h1></div>"
    published = {
        "output_type": "display_data",
        "data": {"text/html": screen, "text/plain": "It holds.", RECORD_TYPE: record},
        "metadata": {"text/html": {"style": 0, "headings": [[1, "", "Kept"]]}, RECORD_TYPE: about},
    }
    cells = [
        markdown_cell("# Kept"),
        code_cell(source, 1) | {"metadata": {"tags": ["parameters"]}},
        code_cell("show()", 2),
        code_cell("publish(result)", 3, published),
    ]
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    metadata = {"opslab": {"notebook": "experiment_readout"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def markdown_cell(source: str) -> Notebook:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code_cell(source: str, count: int, *outputs: Notebook) -> Notebook:
    cell = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [*outputs]}
    return cell | {"execution_count": count}


def published(notebook: Notebook) -> Notebook:
    return notebook["cells"][-1]["outputs"][0]


def record(notebook: Notebook) -> Notebook:
    return published(notebook)["data"][RECORD_TYPE]


def told(notebook: Notebook) -> Notebook:
    return published(notebook)["metadata"][RECORD_TYPE]


def shows(*outputs: Notebook) -> Callable[[Notebook], None]:
    """Put outputs into the cell before the last."""
    return lambda notebook: notebook["cells"][2].update(outputs=[*outputs])


def shows_data(data: Notebook, metadata: Any = None) -> Callable[[Notebook], None]:
    about = {} if metadata is None else metadata
    return shows({"output_type": "display_data", "data": data, "metadata": about})


def says(source: str, attachments: Any = None) -> Callable[[Notebook], None]:
    """Put a Markdown cell at the top."""
    attached = {} if attachments is None else {"attachments": attachments}
    return lambda notebook: notebook["cells"][0].update(source=source, **attached)


def publishes(**data: Any) -> Callable[[Notebook], None]:
    return lambda notebook: published(notebook)["data"].update(data)


def brings(name: str, content: bytes) -> Callable[[Notebook], None]:
    """Carry a document beside the record, named by its right hash."""

    def change(notebook: Notebook) -> None:
        named = {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
        told(notebook)["documents"] = [named]
        packed = in_base64(zlib.compress(content, 9))
        published(notebook)["data"][FILES_TYPE] = {name: packed}

    return change


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def gives(given: str) -> Callable[[Notebook], None]:
    return lambda notebook: notebook["cells"][1].update(source=given)


def _html() -> Notebook:
    harm = {
        "script": SCRIPT,
        "image": "<img src=x onerror='window.pwned=1;alert(1)'><img src=https://pwned.invalid/i.png>",
        "refresh": REFRESH,
        "base and form": "<base href=https://pwned.invalid/><form action=/x><input autofocus onfocus='window.pwned=1'></form>",
        "frames": "<iframe src='javascript:parent.pwned=1'></iframe><object data=https://pwned.invalid/></object><embed src=x>",
        "drawing": "<svg onload='window.pwned=1'><script>window.pwned=1</script><a xlink:href='javascript:alert(1)'>x</a></svg>",
        "style": "<style>@import url(https://pwned.invalid/a.css); body {background: url(https://pwned.invalid/b)}</style>"
        "<p style='background:url(https://pwned.invalid/c)'>x</p><link rel=stylesheet href=https://pwned.invalid/d.css>",
        "links": "<a href='javascript:alert(1)'>a</a><a href='jav&#x09;ascript:alert(1)'>b</a><a href=' data:text/html,x'>c</a><a href=//pwned.invalid>d</a>",
        "mutation": '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
        "template": '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript><template>'
        + SCRIPT
        + "</template>",
        "end of the page": f"</div></main></body></html>{SCRIPT}",
        "comment": f"<!--><img src=x onerror=alert(1)>-->{SCRIPT}<![CDATA[{SCRIPT}]]>",
        "deep": "<ul><li>" * 20_000,
        "deep behind a title": "<div><p title='</div>'>" * 20_000,
        "long": "<p>x</p>" * 100_000,
        "video": "<video src=https://pwned.invalid/v onerror=alert(1) autoplay></video><audio src=x onerror=alert(1)>",
    }
    return {f"html: {name}": shows_data({"text/html": html}) for name, html in harm.items()}


def _markdown() -> Notebook:
    harm = {
        "link": "[x](javascript:alert(1)) [y](JaVaScRiPt:alert(1)) [z](data:text/html,x) <javascript:alert(1)>",
        "picture": f"![x](https://pwned.invalid/a.png) ![x](x){{onerror=1}} ![{OUT}](y)",
        "title": f"[x](https://e.invalid '{OUT}') [y]\n\n[y]: javascript:alert(1) \"x\"",
        "html": SCRIPT + REFRESH,
        "fence": f"```mermaid\n</pre></div>{SCRIPT}\n```\n\n```{OUT}\n{SCRIPT}\n```",
        "formula": f"$${SCRIPT}$$ $<img src=x onerror=alert(1)>$ \\begin{{x}}{SCRIPT}\\end{{x}}",
        "heading": f"# {OUT}\n\n## <img src=x onerror=alert(1)>",
        "table": f"|{SCRIPT}|b|\n|-|-|\n|<img src=x onerror=alert(1)>|`{SCRIPT}`|",
        "deep": ">" * 20_000,
        "no attachment": "![x](attachment:none.png) [a]\n\n![b][a]\n\n[a]: attachment:other.png",
    }
    return {
        **{f"markdown cell: {name}": says(source) for name, source in harm.items()},
        **{
            f"markdown output: {name}": shows_data({"text/markdown": source})
            for name, source in harm.items()
        },
    }


def _pictures() -> Notebook:
    png, jpeg = picture("PNG"), picture("JPEG")
    harm: dict[str, tuple[str, Any]] = {
        "png: markup": ("image/png", OUT),
        "png: markup behind": ("image/png", in_base64(png) + OUT),
        "png: refresh": ("image/png", f'AAAA">{REFRESH}'),
        "png: a page": ("image/png", in_base64(SCRIPT.encode())),
        "png: a JPEG": ("image/png", in_base64(jpeg)),
        "png: cut off": ("image/png", in_base64(png[:-20])),
        "png: a bomb": ("image/png", in_base64(bomb())),
        "png: large": ("image/png", in_base64(bomb(9_000, 9_000))),
        "png: moving": ("image/png", in_base64(picture("PNG", frames=2))),
        "png: no base 64": ("image/png", "é" * 9),
        "jpeg: markup": ("image/jpeg", OUT),
        "jpeg: a PNG": ("image/jpeg", in_base64(png)),
        "jpeg: a GIF": ("image/jpeg", in_base64(picture("GIF"))),
        "jpeg: cut off": ("image/jpeg", in_base64(jpeg[:40])),
        "svg: script": ("image/svg+xml", SVG.format("<script>window.pwned=1;alert(1)</script>")),
        "svg: handler": (
            "image/svg+xml",
            SVG.format("<rect onload='alert(1)' width='9' height='9'/>"),
        ),
        "svg: foreign": (
            "image/svg+xml",
            SVG.format(
                "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>"
            ),
        ),
        "svg: outside": (
            "image/svg+xml",
            SVG.format("<image xlink:href='https://pwned.invalid/a.png'/>"),
        ),
        "svg: style": (
            "image/svg+xml",
            SVG.format("<style>@import 'https://pwned.invalid/a.css';</style>"),
        ),
        "svg: address": (
            "image/svg+xml",
            SVG.format("<rect fill='url(https://pwned.invalid/a#b)'/>"),
        ),
        "svg: a bomb inside": (
            "image/svg+xml",
            SVG.format(f"<image href='data:image/png;base64,{in_base64(bomb())}'/>"),
        ),
        "svg: entities": (
            "image/svg+xml",
            '<!DOCTYPE svg [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>' + SVG.format("<text>&b;</text>"),
        ),
        "svg: a file": (
            "image/svg+xml",
            '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
            + SVG.format("<text>&a;</text>"),
        ),
        "svg: markup": ("image/svg+xml", OUT),
        "svg: moving": ("image/svg+xml", SVG.format("<rect><animate attributeName='x'/></rect>")),
        "svg: deep": ("image/svg+xml", SVG.format("<g>" * 50_000 + "</g>" * 50_000)),
        "svg: large": ("image/svg+xml", SVG.format("<g/>" * 1_100_000)),
        "svg: another root": (
            "image/svg+xml",
            f"<html xmlns='http://www.w3.org/1999/xhtml'>{SCRIPT}</html>",
        ),
    }
    cases = {name: shows_data({kind: data}) for name, (kind, data) in harm.items()}
    cases["attachment: markup"] = says("![x](attachment:a.png)", {"a.png": {"image/png": OUT}})
    cases["attachment: a page"] = says("![x](attachment:a)", {"a": {"text/html": SCRIPT}})
    cases["attachment: a name"] = says(
        f"![{OUT.replace(']', '')}](attachment:a.png)", {"a.png": {"image/png": in_base64(png)}}
    )
    return cases


def _words() -> Notebook:
    printed = {"output_type": "stream", "name": "stdout"}
    about = {"alt": OUT, "caption": OUT, "half": OUT, "style": OUT, "headings": OUT}
    good = {"image/png": in_base64(picture("PNG")), "image/svg+xml": SVG.format("")}
    headings = [[2, OUT, OUT], [2, "javascript:alert(1)", SCRIPT], [1, OUT, f"</title>{SCRIPT}"]]
    return {
        "text: markup": shows_data({"text/plain": OUT}),
        "text: controls": shows_data({"text/plain": CONTROLS}),
        "text: long": shows_data({"text/plain": "x" * 3_000_000}),
        "text: many": shows(
            *[{**printed, "text": "x" * 400_000}, {**printed, "name": "stderr", "text": "y"}] * 60
        ),
        "stream: markup": shows({**printed, "text": SCRIPT + CONTROLS}),
        "stream: of no name": shows({**printed, "name": OUT, "text": SCRIPT}),
        "error: markup": shows(
            {"output_type": "error", "ename": OUT, "evalue": CONTROLS + SCRIPT, "traceback": [OUT]}
        ),
        "picture: words": shows_data(good, dict.fromkeys(good, about)),
        "picture: other words": shows_data(
            good, {"image/svg+xml": {"alt": [OUT], "caption": {OUT: OUT}}}
        ),
        "picture: no words": shows_data(good, {"image/svg+xml": OUT, "image/png": [OUT]}),
        "headings": shows_data({"text/html": "<p>x</p>"}, {"text/html": {"headings": headings}}),
        "title": lambda n: published(n)["metadata"]["text/html"].update(headings=headings),
        "style": lambda n: published(n)["metadata"]["text/html"].update(style=10**400, headings=5),
        "source": lambda n: n["cells"][2].update(source=f"</code></pre>{SCRIPT}{CONTROLS}"),
        "another kind": shows_data(
            {"application/javascript": "alert(1)", "text/latex": OUT, OUT: SCRIPT}
        ),
        "widget": shows_data({"application/vnd.jupyter.widget-view+json": {"model_id": OUT}}),
        "tags": lambda n: n["cells"][2].update(metadata={"tags": [SCRIPT], "name": OUT}),
    }


def _result() -> Notebook:
    def beside(**values: Any) -> Callable[[Notebook], None]:
        return lambda notebook: told(notebook).update(values)

    def within(**values: Any) -> Callable[[Notebook], None]:
        return lambda notebook: record(notebook).update(values)

    return {
        "headline: markup": publishes(**{"text/plain": f"{SCRIPT}{OUT}"}),
        "headline: controls": publishes(**{"text/plain": f"Fine{CONTROLS}\nand more"}),
        "headline: long": publishes(**{"text/plain": "x" * 2_000_000}),
        "headline: lines": publishes(**{"text/plain": ["a\n", CONTROLS]}),
        "action: markup": beside(action=f"{SCRIPT}{CONTROLS}", tone=OUT),
        "action: another kind": beside(action=[OUT], tone={"a": 1}),
        "language: markup": beside(language=OUT),
        "version: controls": beside(opslab=CONTROLS),
        "documents: a path": brings("../../pwned.pdf", b"%PDF-1"),
        "documents: a script": brings("javascript:alert(1)//.pdf", b"%PDF-1"),
        "documents: a page": brings("pwned.pdf", SCRIPT.encode()),
        "documents: a program": brings("pwned.xlsx", b"MZ\x90"),
        "documents: bytes": brings("pwned.csv", b"a\0b"),
        "documents: a bomb": brings("pwned.csv", bytes(101_000_000)),
        "documents: quotes that run": brings("theme-t01.html", SCRIPT.encode()),
        "documents: quotes in place of the readout": brings("readout.html", SCRIPT.encode()),
        "documents: another kind": lambda n: told(n).update(documents={"file": OUT}),
        "record: markup": within(note=OUT, imports=[SCRIPT], **{OUT: SCRIPT}),
        "record: red": within(status="check_failed"),
        "record: an owner": within(plan={"owner": OUT + CONTROLS}),
        "record: an owner of another kind": within(plan={"owner": [OUT]}),
        "record: another status": within(status=SCRIPT),
        "record: no number": within(value=float("nan")),
        "record: a huge number": within(value=10**4_000),
        "record: large": within(value="x" * 1_100_000),
        "record: deep": within(value=nested(600)),
        "record: a list": lambda n: published(n)["data"].update({RECORD_TYPE: [OUT]}),
        "record: another file": within(inputs=[{"file": CONTROLS + SCRIPT, "sha256": OUT}]),
        "record: no file": within(files=[{"file": OUT, "sha256": OUT}]),
    }


def _form() -> Notebook:
    def cell(**values: Any) -> Callable[[Notebook], None]:
        return lambda notebook: notebook["cells"][2].update(values)

    def timed(**noted: Any) -> Callable[[Notebook], None]:
        return cell(metadata=noted)

    half = "\ud800"
    return {
        "form: outputs of another kind": cell(outputs={"a": OUT}),
        "form: an output that is none": cell(outputs=[OUT]),
        "form: data of another kind": shows_data([OUT]),
        "form: a picture of another kind": shows_data({"image/png": {"a": 5}}),
        "form: a picture in pieces": shows_data(
            {"image/png": [in_base64(picture("PNG"))[:20], OUT]}
        ),
        "form: what is told of another kind": shows_data({"text/html": "x"}, [OUT]),
        "form: deep": shows_data({"application/json": nested(900)}),
        "form: deeper": shows_data({"text/html": "x"}, {"text/html": {"headings": nested(300)}}),
        "form: half a character": shows_data({"text/html": half, "text/plain": half}),
        "form: half a headline": publishes(**{"text/plain": half}),
        "form: half a source": says(half),
        "form: half a name": shows_data({"text/plain": "x", half: half}),
        "form: an attachment of another kind": says("![x](attachment:a)", {"a": [OUT]}),
        "form: attachments of another kind": says("![x](attachment:a)", OUT),
        "form: an id": cell(id=f"a {SCRIPT}"),
        "form: a huge count": cell(execution_count=10**400),
        "form: a count of another kind": cell(execution_count=OUT),
        "form: huge seconds": timed(papermill={"duration": 10**400}),
        "form: seconds of another kind": timed(papermill=[OUT]),
        "form: a time of another kind": timed(
            execution={"iopub.execute_input": {}, "shell.execute_reply": 5}
        ),
        "form: metadata": lambda n: n["metadata"].update(
            kernelspec=OUT, widgets=SCRIPT, title=SCRIPT
        ),
        "form: another mark": lambda n: n["metadata"].update(opslab={"notebook": CONTROLS}),
        "form: metadata of another kind": lambda n: n.update(metadata=[OUT]),
        "form: a cell of another kind": lambda n: n["cells"].append(OUT),
        "parameters: a call": gives("__import__('os').system('touch pwned')"),
        "parameters: a path": gives(f"spec = '../../etc/passwd\\x1b[31m{SCRIPT}'"),
        "parameters: a script": gives(f"spec = {SCRIPT!r}\nlanguage = {OUT!r}"),
        "parameters: a huge number": gives(f"spec = {'9' * 4_000}"),
        "parameters: deep": gives("spec = " + "[" * 150 + "]" * 150),
        "parameters: nested signs": gives("spec = " + "-" * 90_000 + "1"),
        "parameters: half a character": gives("spec = '\\ud800'"),
        "parameters: a control": gives("spec = 'a\\x00b'"),
    }


def _added() -> Notebook:
    """What an analyst adds, where the words come from a customer."""
    frame = pd.DataFrame({OUT: [SCRIPT, CONTROLS], "b": [1, 2]}, index=[OUT, "=1+1"])
    frame.index.name = SCRIPT
    with style():
        drawing, axes = framed(f"--> {OUT}", 1.0)
        axes.set_xlabel(f"]]> {SCRIPT}")
    drawn = Figure(drawing, OUT, SCRIPT)._repr_mimebundle_()
    png = {"a.png": {"image/png": in_base64(picture("PNG"))}}
    samp = '<samp title="attachment:a.png">{}</samp>'
    return {
        "frame: words": shows_data({"text/html": frame._repr_html_()}),
        "frame: styled": shows_data(
            {"text/html": frame.style.set_caption(SCRIPT).set_uuid("x")._repr_html_()}
        ),
        "frame: a table in a title": shows_data(
            {"text/html": f"<p title='<th onmouseover=alert(1) <td>1</td> {OUT}'>x</p>"}
        ),
        "frame: tables in tables": shows_data(
            {"text/html": "<table><tr><td>" * 3_000 + "</td></tr></table>" * 3_000}
        ),
        "frame: heads": shows_data({"text/html": "<table>" + "<th>1</th>" * 40_000}),
        "frame: styles that do not end": shows_data(
            {"text/html": "<style <script </x></y>" * 9_000}
        ),
        "plot: its words": shows_data(*drawn),
        "print: words": shows(
            {"output_type": "stream", "name": "stdout", "text": f"{SCRIPT}\r{OUT}\n{CONTROLS}" * 60}
        ),
        "print: of many bars": shows(
            {"output_type": "stream", "name": "stdout", "text": "\r\x1b[" * 900_000 + SCRIPT}
        ),
        "text: a picture's words": says(f"![{OUT}](attachment:a.png)", png),
        "text: an attachment's name": says(
            f"![x](<attachment:{OUT}.png>)", {f"{OUT}.png": png["a.png"]}
        ),
        "text: what stands for a picture": says(samp.format(OUT + "'\"") * 3, png),
        "text: very many pictures": says("![x](attachment:a.png) " * 40_000, png),
        "text: a footnote": says(f"a[^1] b[^{OUT}]\n\n[^1]: {OUT}\n[^{OUT}]: {SCRIPT}"),
        "text: files of others": says(
            "![a](/etc/hostname.png) ![b](../../../../etc/passwd) ![c](file:///etc/hosts.svg)"
        ),
        "text: a title": says(f"# {OUT}\n\n# {SCRIPT}\n\n<h1 id='{OUT}'>x</h1>"),
        "live: its type": shows_data({f"application/{OUT}": SCRIPT, "text/plain": OUT}),
        "live: a page": shows_data(
            {"text/html": SCRIPT + "<iframe srcdoc='x'>", "text/plain": OUT}
        ),
    }


CASES: dict[str, Callable[[Notebook], None]] = {
    **_html(),
    **_markdown(),
    **_pictures(),
    **_words(),
    **_result(),
    **_form(),
    **_added(),
}


def hostile(name: str, inputs: list[dict[str, str]]) -> str:
    """Return the file of a case."""
    notebook = copy.deepcopy(whole(inputs))
    CASES[name](notebook)
    return json.dumps(notebook)
