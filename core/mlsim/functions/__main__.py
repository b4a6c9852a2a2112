"""``python -m mlsim.functions README.md`` rewrites the function table between its markers."""

import re
import sys
from pathlib import Path

from mlsim.functions.reference import summary_table

path = Path(sys.argv[1])
text = path.read_text(encoding="utf-8")
begin, end = r"(<!-- functions: [^>]*-->\n)", r"(<!-- /functions -->)"
path.write_text(re.sub(f"{begin}.*?{end}", lambda m: m[1] + summary_table() + m[2], text, flags=re.S), encoding="utf-8")
