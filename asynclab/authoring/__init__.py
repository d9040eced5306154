"""For authors only: run the notebooks into their committed form, generate exercises, count.

python -m asynclab.authoring refresh [notebooks...]
python -m asynclab.authoring generate [solutions...]
python -m asynclab.authoring boxes [notebooks...]
python -m asynclab.authoring lint [notebooks...]
python -m asynclab.authoring census
"""
