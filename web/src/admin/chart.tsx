/* A chart by days: bars for what is told, a line for the same weekdays of an earlier time. It is
 * drawn on a canvas in the colours of the tokens; a table beside it says the same to who cannot see
 * it. What draws it is fetched when it is wanted: without it the table is still there. */
import type uPlot from 'uplot';
import { useEffect, useRef, useState } from 'preact/hooks';

export interface ChartProps {
  label: string; // all that the picture says, in a sentence
  names: string[]; // of the days, as the scale shows them
  now: number[];
  before: number[];
  short: (value: number) => string; // on the scale
  isCount?: boolean; // has no halves
  onPoint: (index: number | null) => void;
}

const HEIGHT = 240;
const LABEL_WIDTH = 72;  // that the name of a day takes
const BAR_WIDTH = 4;     // the least; narrower ones are drawn as an area
const STEPS = [1, 2, 7, 14, 28, 56, 91];
const COUNT_STEPS = [1, 2, 5].flatMap((n) => [1, 10, 100, 1e3, 1e4, 1e5, 1e6].map((unit) => n * unit)).sort((a, b) => a - b);

function colours(element: HTMLElement) {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    bar: token('--accent'), area: token('--accent-soft'), line: token('--ink'), text: token('--quiet'),
    grid: token('--line'), font: `13px ${style.fontFamily}`,
  };
}

/* As wide as its longest label. */
function axisSize(chart: uPlot, values: string[] | null, axis: number): number {
  const longest = (values ?? []).reduce((most, value) => (value.length > most.length ? value : most), '');
  chart.ctx.font = String(chart.axes[axis]?.font?.[0] ?? '');
  return Math.ceil(chart.ctx.measureText(longest).width / devicePixelRatio) + 18;
}

function options(paths: typeof uPlot.paths, element: HTMLElement, props: ChartProps): uPlot.Options {
  const { names, short, isCount, onPoint } = props;
  const { bar, area, line, text, grid, font } = colours(element);
  const width = element.clientWidth;
  const fits = Math.max(1, Math.floor(width / LABEL_WIDTH));
  const step = STEPS.find((each) => names.length / each <= fits) ?? 183;
  const isBars = width / names.length >= BAR_WIDTH * 1.5;
  return {
    width, height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: [-0.5, names.length - 0.5] },
      y: { range: (_, __, most) => [0, Math.max(most * 1.08, 1)] },
    },
    axes: [
      { font, stroke: text, grid: { show: false }, ticks: { show: false }, gap: 6,
        splits: () => names.map((_, i) => names.length - 1 - i).filter((i) => (names.length - 1 - i) % step === 0).reverse(),
        values: (_, splits) => splits.map((i) => names[i] ?? '') },
      { font, stroke: text, grid: { stroke: grid, width: 1 }, ticks: { show: false }, gap: 8, size: axisSize,
        ...(isCount && { incrs: COUNT_STEPS }),
        values: (_, splits) => splits.map(short) },
    ],
    series: [
      {},
      isBars ? { fill: bar, width: 0, points: { show: false }, paths: paths.bars!({ size: [0.72, 44], radius: 0.12 }) }
        : { stroke: bar, fill: area, width: 2, points: { show: false } },
      { stroke: line, width: 1.5, dash: [5, 4], points: { show: false } },
    ],
    hooks: { setCursor: [(chart) => onPoint(chart.cursor.idx ?? null)] },
  };
}

/* Moves when what colours depend on does. */
function useScheme(): number {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const onChange = () => setTurn((n) => n + 1);
    dark.addEventListener('change', onChange);
    return () => dark.removeEventListener('change', onChange);
  }, []);
  return turn;
}

export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const scheme = useScheme();
  const said = JSON.stringify([props.names, props.now, props.before]);
  useEffect(() => {
    const element = box.current!;
    let chart: uPlot | null = null;
    let width = 0;
    let watch: ResizeObserver | undefined;
    let isOver = false;
    const begin = (Plot: typeof uPlot) => {
      if (isOver)
        return;
      watch = new ResizeObserver(() => {
        if (element.clientWidth === width || !element.clientWidth)
          return;
        width = element.clientWidth;
        chart?.destroy();
        const data: uPlot.AlignedData = [props.names.map((_, i) => i), props.now, props.before];
        chart = new Plot(options(Plot.paths, element, props), data, element);
      });
      watch.observe(element);
    };
    import('uplot').then((module) => begin(module.default), () => {});
    return () => {
      isOver = true;
      watch?.disconnect();
      chart?.destroy();
    };
  }, [said, scheme]);
  return <div ref={box} class="chart" role="img" aria-label={props.label} />;
}
