"""What somebody may have written where anything can be written."""

HOSTILE = (
    "<script>alert(1)</script> **bold** [here](https://evil.example) \u202egnirts desrever\u202c "
    "\u05e9\u05dc\u05d5\u05dd \N{FIRE}\N{SKULL}"
)
ENDLESS = f"{HOSTILE} {'An ordinary sentence that somebody wrote again and again. ' * 100}{'x' * 10_000}"

STRANGE = "odd-__bold__"
"""A scale set's name: letters, digits, dots, hyphens and underscores are all that Azure takes."""

GROUP = "(shop)-\u05e9\u05dc\u05d5\u05dd_._"
"""A resource group's name: letters of any language, and a few signs."""
