// One player for several pictures.

export default {
  render({ model, el }) {
    el.classList.add("asynclab-player");
    const player = new Player(replayOf(model.get("group")), make("div"));
    el.append(player.root);
    return () => player.end();
  },
};
