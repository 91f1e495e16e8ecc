/* The pictures of a fit. */
(() => {
  const { axis, latencyTicks, layout, ms, percentileName, sizeOf, spike, textSize, config, drawPercentiles } = pictures;

  const logAxis = (c, low, high, most, more) => axis(c, Object.assign(
    { type: "log", range: [Math.log10(low), Math.log10(high)] }, latencyTicks(low, high, most), more));

  function bounds(series, room) {
    const values = series.flat().filter((value) => value > 0);
    return [Math.min(...values) / room, Math.max(...values) * room];
  }

  function drawQuantiles(div, data, c) {
    const size = Math.min(data.real.y.length, data.mock.y.length);
    const real = data.real.y.slice(0, size), mock = data.mock.y.slice(0, size);
    const [low, high] = bounds([real, mock], 1.1);
    const few = Math.max(3, sizeOf(div)[0] / 70);
    const text = data.real.x.slice(0, size).map((x, i) => `${percentileName(x)}  ${ms(real[i])} recorded, ${ms(mock[i])} by the model`);
    return Plotly.react(div, [
      { x: [low, high], y: [low, high], mode: "lines", line: { color: c.soft, width: 1, dash: "4px,3px" }, hoverinfo: "skip" },
      {
        x: real, y: mock, mode: size < 60 ? "lines+markers" : "lines", line: { color: c.mock, width: 2.25 },
        marker: { color: c.mock, size: 5 }, text, hovertemplate: "%{text}<extra></extra>",
      },
    ], layout(c, div, {
      hovermode: "closest", margin: { l: 8, r: 12, t: 14, b: 44 },
      xaxis: logAxis(c, low, high, few, { title: { text: "recorded", font: { size: textSize(), color: c.soft } } }),
      yaxis: logAxis(c, low, high, 8, { title: { text: "model", font: { size: textSize(), color: c.soft } } }),
    }), config);
  }

  function drawLoad(div, data, c) {
    const sides = [["real", "recorded", c.real, "solid"], ["mock", "model", c.mock, "6px,4px"]].filter(([side]) => data[side]);
    const [low, high] = bounds(sides.flatMap(([side]) => [data[side].p50, data[side].p95]), 1.15);
    const last = Math.max(1, ...sides.map(([side]) => data[side].x.at(-1)));
    const traces = sides.flatMap(([side, name, colour, dash]) => ["p50", "p95"].map((level) => ({
      x: data[side].x, y: data[side][level], mode: data[side].x.length < 12 ? "lines+markers" : "lines",
      line: { color: colour, width: level === "p50" ? 2.5 : 1.75, dash }, marker: { color: colour, size: 5 },
      text: data[side][level].map((value, i) => `${name} ${level}  ${ms(value)}, ${data[side].calls[i].toLocaleString("en")} calls`),
      hovertemplate: "%{text}<extra></extra>",
    })));
    const full = data.saturates !== null && data.saturates <= last;
    const line = { type: "line", x0: data.saturates, x1: data.saturates, yref: "paper", y0: 0, y1: 1, line: { color: c.soft, width: 1, dash: "dot" } };
    const label = {
      x: data.saturates, xanchor: "left", yref: "paper", y: 0, yanchor: "bottom", xshift: 4, showarrow: false,
      text: "full from here on", font: { size: textSize(), color: c.soft },
    };
    return Plotly.react(div, traces, layout(c, div, {
      margin: { l: 8, r: 12, t: 14, b: 44 },
      xaxis: axis(c, {
        range: [-0.02 * last, last * 1.02], rangemode: "tozero", tickformat: ",d", ...(last <= 8 ? { dtick: 1 } : { nticks: Math.max(3, Math.min(12, sizeOf(div)[0] / 60)) }),
        title: { text: "others in flight", font: { size: textSize(), color: c.soft } }, ...spike(c),
      }),
      yaxis: logAxis(c, low, high, 9),
      shapes: full ? [line] : [], annotations: full ? [label] : [],
    }), config);
  }

  function drawSpells(div, data, c) {
    const [low, high] = bounds([data.p50, data.p95, [0.8, 1.25]], 1.1);
    const ticks = latencyTicks(low, high, 8);
    const trace = (level, width) => ({
      x: data.x, y: data[level], mode: "lines", line: { color: c.real, width }, connectgaps: false,
      text: data[level].map((value) => value === null ? "" : `${level}  ${value.toFixed(2)} × the median`),
      hovertemplate: "%{text}<extra></extra>",
    });
    const shade = ([x0, x1]) => ({ type: "rect", x0, x1, yref: "paper", y0: 0, y1: 1, fillcolor: c.mockFill, line: { color: c.mock, width: 0.5 }, layer: "below" });
    return Plotly.react(div, [trace("p95", 1), trace("p50", 2.25)], layout(c, div, {
      margin: { l: 8, r: 12, t: 14, b: 44 },
      xaxis: axis(c, {
        ticksuffix: " s", nticks: Math.max(3, sizeOf(div)[0] / 90), range: [0, data.x.at(-1) + data.x[0]], unifiedhovertitle: { text: "%{x:.1f} s" }, ...spike(c),
      }),
      yaxis: axis(c, { type: "log", range: [Math.log10(low), Math.log10(high)], tickvals: ticks.tickvals, ticktext: ticks.tickvals.map((value) => `${Number(value.toPrecision(2))} ×`) }),
      shapes: data.spells.map(shade),
    }), config);
  }

  pictures.show(
    { percentiles: drawPercentiles("recorded", "model"), quantiles: drawQuantiles, load: drawLoad, spells: drawSpells },
    { percentiles: [690, 180], quantiles: [330, 220], load: [690, 180], spells: [690, 180] },
  );
})();
