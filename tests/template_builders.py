"""Request templates to test with: the signs that steer Velocity and JSON, in any order."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

SIGNS: Final = (
    *"${}[]()\"'\\|#.! \n,:é\ud800",
    *("$!{", "${", "input.a", "$input.b", "esc.jsonString(", "esc.html("),
    *("#if(", "#end", "#{else}", "#set(", "##", "#*", "*#", '{"a":"', '":'),
)
TEMPLATES: Final = st.lists(st.sampled_from(SIGNS), max_size=30).map("".join)
