"""For authors only: run the notebooks into their committed form, generate exercises, count rules.

python -m asynclab.authoring refresh [notebooks...]
python -m asynclab.authoring generate [solutions...]
python -m asynclab.authoring lint [notebooks...]
"""
