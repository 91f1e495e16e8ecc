"use strict";
/* What the pictures of all pages share: axes, ticks, colours of the page, and when they are drawn. */
const pictures = (() => {
  const data = JSON.parse(document.getElementById("pictures").textContent);
  const percentiles = [[0.30103, "p50"], [1, "p90"], [1.30103, "p95"], [2, "p99"], [3, "p99.9"], [4, "p99.99"], [5, "p99.999"]];
  const fewPercentiles = new Set(["p50", "p90", "p99", "p99.9", "p99.99"]);
  const config = { displayModeBar: false, responsive: true, showTips: false };
  let printing = false, printedSize = {};

  const sizeOf = (div) => printing ? printedSize[div.dataset.plot] : [div.clientWidth, div.clientHeight];

  const textSize = () => printing ? 10 : 12;

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
      ink: of("ink"), soft: of("soft"), line: of("line"), panel: of("panel"), between: of("between"), text: of("text"),
      good: of("good"), bad: of("bad"), grave: of("grave"),
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

  /* Where both bounds of a curve are known, as a shape to be filled. */
  function band(points, fill) {
    if (!points.low) return [];
    const known = points.x.map((_, i) => i).filter((i) => points.low[i] !== null && points.high[i] !== null);
    const edge = (values, more) => Object.assign({
      x: known.map((i) => points.x[i]), y: known.map((i) => values[i]), mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false,
    }, more);
    return known.length ? [edge(points.low, {}), edge(points.high, { fill: "tonexty", fillcolor: fill })] : [];
  }

  const drawPercentiles = (realName, mockName) => (div, all, c) => {
    const data = all.percentiles || all;
    const values = data.real.y.concat(data.mock.y).filter((value) => value > 0);
    const low = Math.min(...values) / 1.15, high = Math.max(...values) * 1.15;
    const trace = (points, colour, name, more) => Object.assign({
      x: points.x, y: points.y, name, mode: "lines", line: { color: colour, width: 2.25 },
      text: points.x.map((x, i) => `${percentileName(x)}  ${ms(points.y[i])}`), hovertemplate: "%{text}",
    }, more);
    const last = Math.max(data.real.x.at(-1), data.mock.x.at(-1));
    const bands = [...band(data.real, c.realFill), ...band(data.mock, c.mockFill)];
    const between = bands.length ? {} : { fill: "tonexty", fillcolor: c.between };
    return Plotly.react(div, [
      ...bands,
      trace(data.real, c.real, realName, {}),
      trace(data.mock, c.mock, mockName, { line: { color: c.mock, width: 2.25, dash: "6px,4px" }, ...between }),
    ], layout(c, div, {
      xaxis: percentileAxis(c, div, "Latency", last),
      yaxis: axis(c, Object.assign({ type: "log", range: [Math.log10(low), Math.log10(high)] }, latencyTicks(low, high, 9))),
    }), config);
  };

  /* Draws each group's pictures once they come near the screen, and all of them for paper: `draw` holds a
     function, and `sizes` a width and height on paper, by the name that stands in data-plot. */
  function show(draw, sizes) {
    printedSize = sizes;
    const drawn = new Set();

    function drawPictures(group) {
      drawn.add(group);
      const c = colours();
      for (const div of group.querySelectorAll("[data-plot]")) draw[div.dataset.plot](div, data[group.dataset.operation], c);
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
  }

  return { axis, band, latencyTicks, layout, ms, percentileAxis, percentileName, shareTicks, show, signed, sizeOf, spike, textSize, config, drawPercentiles };
})();
