"""Pages of docs that have a table for each Python, which programs renew."""


def renew(page, python, text):
    """Puts the text between the marks of this Python in the page."""
    minor = ".".join(python.split(".")[:2])
    begin, end = f"<!-- begin {minor} -->\n", f"<!-- end {minor} -->\n"
    before, rest = page.read_text().split(begin)
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")
