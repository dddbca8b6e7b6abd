"""From the OpenAPI document to one page of HTML that needs no network and no script."""

import json
import re
from html import escape
from typing import Any, Final

Json = dict[str, Any]
REF: Final = "#/components/schemas/"

STYLE: Final = """\
:root { color-scheme: light dark; --line: #8886; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; }
code, pre, .route { font-family: ui-monospace, monospace; font-size: .9em; }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; }
nav ul { columns: 18rem; list-style: none; padding: 0; }
section { border-top: 1px solid var(--line); margin-top: 1.5rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0;
  border-top: 1px solid var(--line); }
td:first-child, td:nth-child(2) { white-space: nowrap; }
.must::after { content: " *"; color: #c33; }
@media print { nav { display: none; } section { break-inside: avoid; } }
"""


def page(document: Json) -> str:
    """The page."""
    schemas: Json = document["components"]["schemas"]
    calls = [
        (path, verb, call)
        for path, verbs in document["paths"].items()
        for verb, call in verbs.items()
    ]
    info = document["info"]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(info['title'])}: HTTP</title>",
        f"<style>\n{STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])}: HTTP</h1>",
        _text(info["description"]),
        "<p>Fields marked <span class=must></span> are required.</p>",
        _contents(document["tags"], calls),
    ]
    for tag in document["tags"]:
        parts.append(f"<h2>{escape(tag['name'])}</h2>{_text(tag['description'])}")
        parts += [_call(*call) for call in calls if tag["name"] in call[2]["tags"]]
    parts.append("<h2>Messages</h2>")
    parts += [_message(name, schema) for name, schema in schemas.items()]
    return "\n".join([*parts, "</body></html>", ""])


def _contents(tags: list[Json], calls: list[tuple[str, str, Json]]) -> str:
    lists = []
    for tag in tags:
        links = "".join(
            f'<li><a href="#{call["operationId"]}">{escape(call["operationId"])}</a></li>'
            for _, _, call in calls
            if tag["name"] in call["tags"]
        )
        lists.append(f"<h3>{escape(tag['name'])}</h3><ul>{links}</ul>")
    return f"<nav>{''.join(lists)}</nav>"


def _call(path: str, verb: str, call: Json) -> str:
    name = call["operationId"]
    parts = [
        f'<section id="{name}"><h3>{escape(name)}</h3>',
        f'<p class="route">{verb.upper()} {escape(path)}</p>',
        _text(call["description"]),
    ]
    body = call.get("requestBody", {}).get("content", {}).get("application/json")
    if body is None:
        fields = [
            _row(each["name"], each["schema"] | {"description": each["description"]})
            for each in call["parameters"]
        ]
        parts.append(f"<table>{''.join(fields)}</table>" if fields else "<p>Asks with nothing.</p>")
    else:
        parts.append(f"<p>Body: {_kind(body['schema'])}</p>")
        if "example" in body:
            written = json.dumps(body["example"], ensure_ascii=False, indent=2)
            parts.append(f"<pre>{escape(written, quote=False)}</pre>")
    answer = call["responses"]["200"]["content"]["application/json"]["schema"]
    parts.append(f'<p>Answer: {_kind(answer)}, or <a href="#google.rpc.Status">a refusal</a></p>')
    return "\n".join([*parts, "</section>"])


def _message(name: str, schema: Json) -> str:
    needed = schema.get("required", []) if schema.get("additionalProperties") is False else []
    rows = [
        _row(field, part, required=field in needed)
        for field, part in schema.get("properties", {}).items()
    ]
    table = f"<table>{''.join(rows)}</table>" if rows else ""
    return (
        f'<section id="{name}"><h3>{escape(name)}</h3>'
        f"{_text(schema.get('description', ''))}{table}</section>"
    )


def _row(name: str, schema: Json, *, required: bool = False) -> str:
    mark = ' class="must"' if required else ""
    return (
        f"<tr><td><code{mark}>{escape(name)}</code></td><td>{_kind(schema)}</td>"
        f"<td>{_text(schema.get('description', ''))}</td></tr>\n"
    )


def _kind(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REF)
        return f'<a href="#{name}">{escape(name)}</a>'
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if "oneOf" in schema:
        return " or ".join(f"<code>{escape(each['title'])}</code>" for each in schema["oneOf"])
    return escape(schema.get("format") or schema.get("type", ""))


def _text(text: str) -> str:
    """Paragraphs, lists and code as the comments write them."""
    blocks = []
    for block in re.split(r"\n\n", text.strip()):
        lines = re.sub(r"\n  ", " ", escape(block, quote=False)).split("\n")
        if block.startswith("* "):
            blocks.append("<ul>" + "".join(f"<li>{line[2:]}</li>" for line in lines) + "</ul>")
        elif block:
            blocks.append(f"<p>{' '.join(lines)}</p>")
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", "".join(blocks))
