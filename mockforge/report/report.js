"use strict";
/* Draws each operation's pictures once they come near the screen, in the colours of the page. */
(() => {
  const pictures = JSON.parse(document.getElementById("pictures").textContent);
  const percentiles = [[0.30103, "p50"], [1, "p90"], [1.30103, "p95"], [2, "p99"], [3, "p99.9"], [4, "p99.99"], [5, "p99.999"]];
  const fewPercentiles = new Set(["p50", "p90", "p99", "p99.9", "p99.99"]);
  const config = { displayModeBar: false, responsive: true, showTips: false };
  const printedSize = { percentiles: [690, 180], shift: [330, 150], spread: [330, 150] };
  let printing = false;

  const sizeOf = (div) => printing ? printedSize[div.dataset.plot] : [div.clientWidth, div.clientHeight];

  const textSize = () => printing ? 10 : 12;

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
      ink: of("ink"), soft: of("soft"), line: of("line"), panel: of("panel"), between: of("between"), text: of("text"),
      real: of("real"), mock: of("mock"), realFill: of("real-fill"), mockFill: of("mock-fill"),
    };
  }

  const percentileName = (x) => {
    const p = 100 * (1 - Math.pow(10, -x));
    return `p${Number(p.toFixed(Math.ceil(x)))}`;
  };
  const ms = (value) => {
    if (value === null) return "–";
    const digits = value < 10 ? 2 : value < 1000 ? 1 : 0;
    return `${value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ms`;
  };
  const signed = (share, digits = 1) => `${share < 0 ? "−" : "+"}${Math.abs(share * 100).toFixed(digits)} %`;

  /* Round shares from low to high, some five of them. */
  function shareTicks(low, high, name) {
    const rough = (high - low) / 5;
    const decade = Math.pow(10, Math.floor(Math.log10(rough)));
    const step = decade * [1, 2, 5, 10].find((factor) => factor * decade >= rough);
    const first = Math.ceil(low / step), number = Math.floor(high / step) - first + 1;
    const tickvals = Array.from({ length: number }, (_, index) => (first + index) * step);
    return { tickvals, ticktext: tickvals.map((share) => name(share, step < 0.01 ? 1 : 0)) };
  }

  /* 1, 2 and 5 of each decade, or only the decades where those would crowd. */
  function latencyTicks(low, high, most) {
    const ticks = (steps) => {
      const found = [];
      for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.ceil(Math.log10(high)); exponent++) {
        for (const step of steps) {
          const value = step * Math.pow(10, exponent);
          if (value >= low * 0.999 && value <= high * 1.001) found.push(value);
        }
      }
      return found;
    };
    const found = [[1, 2, 5], [1, 3], [1]].map(ticks).find((some) => some.length <= most) || ticks([1]);
    const short = (value) => value >= 1000 ? `${value / 1000} s` : `${Number(value.toPrecision(2))} ms`;
    return { tickvals: found, ticktext: found.map(short) };
  }

  function axis(c, more) {
    return Object.assign({
      showgrid: true, gridcolor: c.line, gridwidth: 1, zeroline: false, showline: false, ticks: "", fixedrange: true,
      tickfont: { color: c.soft, size: textSize() }, automargin: true,
      showspikes: false,
    }, more);
  }

  /* A thickness below zero is plotly's way to a line without an outline. */
  const spike = (c) => ({ showspikes: true, spikecolor: c.soft, spikethickness: -1, spikedash: "dot", spikemode: "across" });

  function layout(c, div, more) {
    return Object.assign({
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, dragmode: false,
      margin: { l: 8, r: 12, t: 14, b: 28 }, font: { family: c.text, size: 12, color: c.ink }, hovermode: "x unified",
      hoverlabel: { bgcolor: c.panel, bordercolor: c.line, font: { family: c.text, size: 13, color: c.ink } },
      width: printing ? sizeOf(div)[0] : undefined, height: printing ? sizeOf(div)[1] : undefined, autosize: !printing,
    }, more);
  }

  function percentileAxis(c, div, title, last) {
    const narrow = sizeOf(div)[0] < 560;
    const shown = percentiles.filter(([x, name]) => x <= last * 1.02 && (!narrow || fewPercentiles.has(name)));
    return axis(c, {
      tickvals: shown.map(([x]) => x), ticktext: shown.map(([, name]) => name), range: [0, last * 1.01],
      unifiedhovertitle: { text: title }, ...spike(c),
    });
  }

  function drawPercentiles(div, data, c) {
    const values = data.real.y.concat(data.mock.y).filter((value) => value > 0);
    const low = Math.min(...values) / 1.15, high = Math.max(...values) * 1.15;
    const trace = (points, colour, name, more) => Object.assign({
      x: points.x, y: points.y, name, mode: "lines", line: { color: colour, width: 2.25 },
      text: points.x.map((x, i) => `${percentileName(x)}  ${ms(points.y[i])}`), hovertemplate: "%{text}",
    }, more);
    const last = Math.max(data.real.x.at(-1), data.mock.x.at(-1));
    return Plotly.react(div, [
      trace(data.real, c.real, "real", {}),
      trace(data.mock, c.mock, "mock", { line: { color: c.mock, width: 2.25, dash: "6px,4px" }, fill: "tonexty", fillcolor: c.between }),
    ], layout(c, div, {
      xaxis: percentileAxis(c, div, "Latency", last),
      yaxis: axis(c, Object.assign({ type: "log", range: [Math.log10(low), Math.log10(high)] }, latencyTicks(low, high, 9))),
    }), config);
  }

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

  const draw = { percentiles: drawPercentiles, shift: drawShift, spread: drawSpread };
  const drawn = new Set();

  function drawPictures(group) {
    drawn.add(group);
    const c = colours();
    for (const div of group.querySelectorAll("[data-plot]")) draw[div.dataset.plot](div, pictures[group.dataset.operation], c);
  }

  const groups = document.querySelectorAll("[data-operation]");
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      drawPictures(entry.target);
    }
  }, { rootMargin: "800px" });
  groups.forEach((group) => near.observe(group));

  /* Paper is light and narrower than most screens; every picture is drawn for it, seen or not. */
  function redraw(forPrint) {
    document.documentElement.classList.toggle("printing", forPrint);
    printing = forPrint;
    (forPrint ? groups : drawn).forEach(drawPictures);
  }
  addEventListener("beforeprint", () => redraw(true));
  addEventListener("afterprint", () => redraw(false));

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(drawPictures));
})();
