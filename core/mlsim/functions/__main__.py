"""``python -m mlsim.functions README.md`` rewrites the function table between its markers."""

import sys

from mlsim.files import replace_section
from mlsim.functions.reference import summary_table

replace_section(sys.argv[1], "functions", summary_table())
