# SPDX-License-Identifier: MIT
"""Text, tables, lists and folds of the page, and what report_md.py says, as HTML."""
import html
import re


def esc(text):
    return html.escape(str(text))


def title(run, key):
    return run["columns"][key]["title"]


def table(head, lines, kind="figures"):
    yield f'<div class="scroll"><table class="{kind}"><tr>' + "".join(f"<th>{esc(cell)}</th>" for cell in head) + "</tr>"
    for line in lines:
        yield "<tr>" + "".join(f'<td{" class=text" if len(str(cell)) > 60 else ""}>{esc(cell)}</td>' for cell in line) + "</tr>"
    yield "</table></div>"


def listed(lines):
    """Each of these as a point; they are text."""
    return "<ul>" + "".join(f"<li>{esc(line)}</li>" for line in lines) + "</ul>"


def explained(pairs):
    """[(word, what it means)]."""
    return "<dl>" + "".join(f"<dt>{esc(word)}</dt><dd>{esc(said)}</dd>" for word, said in pairs) + "</dl>"


def cells_of(line):
    """Of a line of a table (verdict.py)."""
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def block(kind, lines):
    """Markdown's lines of one kind: a table, a list, headings, paragraphs."""
    if kind == "|":
        head, *body = [cells_of(line) for line in lines]
        return table(head, [cells for cells in body if set("".join(cells)) - {"-"}])
    if kind == "-":
        return [listed(line.removeprefix("- ") for line in lines)]
    if kind == "#":
        levels = [(len(line) - len(line.lstrip("#")) + 1, line.lstrip("# ")) for line in lines]
        return [f"<h{level}>{esc(text)}</h{level}>" for level, text in levels]
    return ["<p>" + esc(" ".join(lines).replace("**", "").replace("`", "")) + "</p>"]


def kind_of(line):
    return line[0] if line.startswith(("|", "- ", "#")) else "text" if line else ""


def from_markdown(lines):
    """The tables, lists and headings of report_md.py, as HTML; lines that follow each other are a paragraph."""
    out, same = [], []
    for line in [*lines, ""]:
        if same and kind_of(line) != kind_of(same[0]):
            out += block(kind_of(same[0]), same)
            same = []
        if line:
            same.append(line)
    return "\n".join(out)


def folded(summary, lines):
    content = from_markdown(lines)
    return f"<details><summary>{esc(summary)}</summary>{content}</details>" if content else ""
