/* The pictures of a history: the gap of each operation, report by report. */
(() => {
  const { axis, layout, shareTicks, config } = pictures;

  /* The mean of each segment, as a line that breaks where the series changes. */
  function segments(data) {
    const x = [], y = [];
    const starts = [0, ...data.changes, data.gap.length];
    for (let i = 0; i + 1 < starts.length; i++) {
      const own = data.gap.slice(starts[i], starts[i + 1]);
      const mean = own.reduce((sum, gap) => sum + gap, 0) / own.length;
      x.push(data.at[starts[i]], data.at[starts[i + 1] - 1], null);
      y.push(mean, mean, null);
    }
    return { x, y };
  }

  function drawSeries(div, data, c) {
    const most = Math.max(0.02, ...data.gap) * 1.15;
    const colour = data.verdict.map((verdict) => ({ within: c.good, outside: c.bad })[verdict] || c.grave);
    const shapes = data.changes.map((index) => ({
      type: "line", x0: data.at[index], x1: data.at[index], yref: "paper", y0: 0, y1: 1, line: { color: c.soft, width: 1, dash: "dot" },
    }));
    return Plotly.react(div, [
      { ...segments(data), mode: "lines", line: { color: c.soft, width: 1.5 }, hoverinfo: "skip" },
      {
        x: data.at, y: data.gap, mode: "lines+markers", line: { color: c.line, width: 1 }, marker: { color: colour, size: 7 },
        text: data.gap.map((gap, i) => `${data.report[i]}  ${(gap * 100).toFixed(1)} %, ${data.verdict[i]}`), hovertemplate: "%{text}<extra></extra>",
      },
    ], layout(c, div, {
      hovermode: "closest", shapes,
      xaxis: axis(c, { type: "date", nticks: 6 }),
      yaxis: axis(c, { ...shareTicks(0, most, (share, digits) => `${(share * 100).toFixed(digits)} %`), range: [0, most] }),
    }), config);
  }

  pictures.show({ overall: drawSeries, series: drawSeries }, { overall: [690, 180], series: [330, 150] });
})();
