"""How good the default networks are for tables and images, beside what else would be picked.

python -m benchmarks.accuracy collect FOLDER [--debian UNPACKED]   the tables, as CSV files
python -m benchmarks.accuracy run FOLDER CONTENDER ... [--only TABLE ...]
python -m benchmarks.accuracy few [FOLDER] [--photos crowd FOLDER]   20 and 100 rows, 5 photos
python -m benchmarks.accuracy images SET ... [--folder FOLDER] [--effort long]
python -m benchmarks.accuracy show
python -m benchmarks.accuracy messages FILE        a filter for messages: columns message and label

Every contender gets the same splits of Downslope's own: it trains on 70 % of the rows, may use
10 % to choose when to end, and is measured on 20 % that it never sees, for three seeds. Figures go
to `benchmarks/results/accuracy.json`, one per table, seed and contender, so that a peer need not
be trained again where only ours has changed.
"""
