/* The pictures of a deviation. */
(() => {
  const { axis, band, latencyTicks, layout, ms, percentileAxis, percentileName, shareTicks, signed, sizeOf, spike, textSize, config, drawPercentiles } = pictures;

  function drawShift(div, data, c) {
    const bounded = [...(data.shift.low || []), ...(data.shift.high || [])];
    /* Bounds of the far tail may be anywhere: the picture keeps to three times what the curve itself spans. */
    const own = data.shift.y.filter((value) => value !== null);
    const most = 3 * Math.max(0.1, ...own.map(Math.abs));
    const known = [...own, ...bounded.filter((value) => value !== null && Math.abs(value) <= most)];
    const high = Math.max(0.1, ...known) * 1.3, low = Math.min(-0.1, ...known) * 1.3;
    const name = (share, digits) => Math.abs(share) < 1e-9 ? "0 %" : signed(share, digits);
    const side = (y, text, yanchor) => ({
      xref: "paper", x: 0, xanchor: "left", yref: "paper", y, yanchor, text, showarrow: false, font: { size: textSize(), color: c.soft },
    });
    const bands = band(data.shift, c.between);
    return Plotly.react(div, [...bands, {
      x: data.shift.x, y: data.shift.y, mode: "lines", line: { color: c.ink, width: 2 }, ...(bands.length ? {} : { fill: "tozeroy", fillcolor: c.between }),
      text: data.shift.x.map((x, i) => data.shift.y[i] === null ? "" : `${percentileName(x)}  ${signed(data.shift.y[i])}${within(data.shift, i)}`),
      hovertemplate: "%{text}<extra></extra>",
    }], layout(c, div, {
      xaxis: percentileAxis(c, div, "Deviation", data.shift.x.at(-1)),
      yaxis: axis(c, {
        ...shareTicks(low, high, name), range: [low, high], zeroline: true, zerolinecolor: c.soft, zerolinewidth: 1,
      }),
      annotations: [side(1, "mock slower", "top"), side(0, "mock faster", "bottom")],
    }), config);
  }

  const within = (curve, i) => !curve.low || curve.low[i] === null || curve.high[i] === null ? "" : ` (${signed(curve.low[i])} to ${signed(curve.high[i])})`;

  /* Both sides' p50 and p95 against what `at` holds, on a log scale. */
  function drawLevels(div, data, c, xaxis, titles) {
    const values = [data.real, data.mock].flatMap((side) => [...side.p50, ...side.p95]).filter((value) => value > 0);
    const low = Math.min(...values) / 1.2, high = Math.max(...values) * 1.2;
    const trace = (side, colour, name, level, width, dash) => ({
      x: side.at, y: side[level], name: `${name} ${level}`, mode: titles ? "lines+markers" : "lines", line: { color: colour, width, dash },
      marker: { color: colour, size: 5 }, connectgaps: true, hovertemplate: "%{text}", text: side[level].map((value) => `${level}  ${ms(value)}`),
    });
    return Plotly.react(div, [
      trace(data.real, c.real, "real", "p95", 1.25, "solid"), trace(data.real, c.real, "real", "p50", 2.25, "solid"),
      trace(data.mock, c.mock, "mock", "p95", 1.25, "4px,3px"), trace(data.mock, c.mock, "mock", "p50", 2.25, "6px,4px"),
    ], layout(c, div, {
      xaxis, yaxis: axis(c, Object.assign({ type: "log", range: [Math.log10(low), Math.log10(high)] }, latencyTicks(low, high, 7))),
    }), config);
  }

  const secondsAxis = (c) => axis(c, { ticksuffix: " s", unifiedhovertitle: { text: "%{x} s" }, nticks: 7, ...spike(c) });

  const drawTime = (div, data, c) => drawLevels(div, data.time, c, secondsAxis(c), false);

  function drawLoad(div, data, c) {
    const { shown, real, mock } = data.load;
    const at = real.at.map((value) => value);
    const every = Math.ceil(shown.length / Math.max(2, Math.floor(sizeOf(div)[0] / 62)));
    const ticks = at.map((value, i) => [value, shown[i]]).filter((_, i) => i % every === 0);
    return drawLevels(div, { real, mock }, c, axis(c, {
      type: "log", tickvals: ticks.map(([value]) => value), ticktext: ticks.map(([, name]) => name), unifiedhovertitle: { text: "In flight" }, ...spike(c),
    }), true);
  }

  function drawErrors(div, data, c) {
    const { real, mock } = data.errors;
    const most = Math.max(0.01, ...real.failed, ...mock.failed) * 1.1;
    const trace = (side, colour, fill, name, dash) => ({
      x: side.at, y: side.failed, name, mode: "lines", line: { color: colour, width: 1.75, dash, shape: "hvh" }, fill: "tozeroy", fillcolor: fill,
      connectgaps: true, hovertemplate: "%{text}", text: side.failed.map((share) => share === null ? "" : `${(share * 100).toFixed(1)} % failed`),
    });
    return Plotly.react(div, [trace(real, c.real, c.realFill, "real", "solid"), trace(mock, c.mock, c.mockFill, "mock", "4px,3px")], layout(c, div, {
      xaxis: secondsAxis(c),
      yaxis: axis(c, { ...shareTicks(0, most, (share, digits) => `${(share * 100).toFixed(digits)} %`), range: [0, most] }),
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
    { percentiles: drawPercentiles("real", "mock"), shift: drawShift, spread: drawSpread, time: drawTime, load: drawLoad, errors: drawErrors },
    { percentiles: [690, 180], shift: [330, 150], spread: [330, 150], time: [330, 150], load: [330, 150], errors: [330, 150] },
  );
})();
