"""Downslope beside what a user would pick instead, measured in one run; see README.md.

work.py        what is trained: networks, data, steps, as plain values
samples.py     the samples, made once and read by every worker
rungs.py       the rungs: each a work and who contends
catalogue.py   the contenders, and how each is started
contenders/    what each of them does, in the words of its own documentation
worker.py      one contender in a process of its own
driver.py      the other end of that process's pipes
race.py        A B C A B C: the rounds of one rung
figures.py     medians, spreads and ratios
machine.py     what it ran on
results.py     the run as a value and as JSON
table.py, pictures.py, publish.py   what people look at
__main__.py    the command line
"""
