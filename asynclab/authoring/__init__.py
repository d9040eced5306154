"""For authors only: begin a lesson, run notebooks into their committed form, generate, count.

python -m asynclab.authoring new 06 "the async ORM"
python -m asynclab.authoring refresh [notebooks...]
python -m asynclab.authoring generate [solutions...]
python -m asynclab.authoring boxes [notebooks...]
python -m asynclab.authoring index
python -m asynclab.authoring lint [notebooks...]
python -m asynclab.authoring census
"""
