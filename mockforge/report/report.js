/* The pictures of a deviation. */
(() => {
  const { axis, latencyTicks, layout, ms, percentileAxis, percentileName, shareTicks, signed, sizeOf, spike, textSize, config, drawPercentiles } = pictures;

  function drawShift(div, data, c) {
    const known = data.shift.y.filter((value) => value !== null);
    const high = Math.max(0.1, ...known) * 1.3, low = Math.min(-0.1, ...known) * 1.3;
    const name = (share, digits) => Math.abs(share) < 1e-9 ? "0 %" : signed(share, digits);
    const side = (y, text, yanchor) => ({
      xref: "paper", x: 0, xanchor: "left", yref: "paper", y, yanchor, text, showarrow: false, font: { size: textSize(), color: c.soft },
    });
    return Plotly.react(div, [{
      x: data.shift.x, y: data.shift.y, mode: "lines", line: { color: c.ink, width: 2 }, fill: "tozeroy", fillcolor: c.between,
      text: data.shift.x.map((x, i) => data.shift.y[i] === null ? "" : `${percentileName(x)}  ${signed(data.shift.y[i])}`),
      hovertemplate: "%{text}<extra></extra>",
    }], layout(c, div, {
      xaxis: percentileAxis(c, div, "Deviation", data.shift.x.at(-1)),
      yaxis: axis(c, {
        ...shareTicks(low, high, name), range: [low, high], zeroline: true, zerolinecolor: c.soft, zerolinewidth: 1,
      }),
      annotations: [side(1, "mock slower", "top"), side(0, "mock faster", "bottom")],
    }), config);
  }

  function drawSpread(div, data, c) {
    const edges = data.spread.edges;
    const trace = (shares, colour, fill, name, dash) => ({
      x: edges, y: shares.concat(0), name, mode: "lines", line: { color: colour, width: 1.75, shape: "hv", dash }, fill: "tozeroy",
      fillcolor: fill, hovertemplate: "%{text}",
      text: edges.map((edge, i) => i < shares.length ? `${(shares[i] * 100).toFixed(1)} % in ${ms(edge)} to ${ms(edges[i + 1])}` : ""),
    });
    const most = Math.max(...data.spread.real, ...data.spread.mock) * 1.08;
    const ticks = latencyTicks(edges[0], edges.at(-1), sizeOf(div)[0] / 62);
    return Plotly.react(div, [
      trace(data.spread.real, c.real, c.realFill, "real", "solid"),
      trace(data.spread.mock, c.mock, c.mockFill, "mock", "4px,3px"),
    ], layout(c, div, {
      xaxis: axis(c, Object.assign({ type: "log", unifiedhovertitle: { text: "Requests" }, ...spike(c) }, ticks)),
      yaxis: axis(c, { ...shareTicks(0, most, (share, digits) => `${(share * 100).toFixed(digits)} %`), range: [0, most] }),
    }), config);
  }

  pictures.show(
    { percentiles: drawPercentiles("real", "mock"), shift: drawShift, spread: drawSpread },
    { percentiles: [690, 180], shift: [330, 150], spread: [330, 150] },
  );
})();
