// Lines over time, by uPlot. Colours follow the page's.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function chart(holder, title, series) {
  const axis = { stroke: () => colour("--quiet"), grid: { stroke: () => colour("--line"), width: 1 }, ticks: { stroke: () => colour("--line") } };
  const lines = series.map(({ name, of, dash }) => ({ label: name, stroke: () => colour(of), width: 1.5, dash, points: { show: false }, spanGaps: true }));
  const options = {
    width: Math.max(holder.clientWidth, 260), height: 180, cursor: { drag: { x: true, y: false } },
    scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 1, 1) * 1.1] } },
    axes: [axis, { ...axis, size: 56 }], series: [{}, ...lines],
  };
  const plot = new window.uPlot(options, [[], ...series.map(() => [])], holder);
  plot.root.setAttribute("role", "img");
  plot.root.setAttribute("aria-label", title);
  const resize = new ResizeObserver(() => plot.setSize({ width: Math.max(holder.clientWidth, 260), height: 180 }));
  resize.observe(holder);
  return {
    show: (samples, columns) => plot.setData([samples.map((s) => s[0]), ...columns.map((c) => samples.map((s) => s[c]))]),
    end: () => { resize.disconnect(); plot.destroy(); },
  };
}
