/** Tells a person how far a long run is. */
export interface Progress {
  /** One of the steps is done. */
  step(): void;
  /** Takes the bar away again. */
  end(): void;
}

const WIDTH = 30;

/** A bar on stderr where that is a terminal, silent elsewhere: what is piped on are results. */
export function startProgress(title: string, steps: number, out: NodeJS.WriteStream = process.stderr): Progress {
  if (!out.isTTY) return { step: () => {}, end: () => {} };
  let done = 0;
  const draw = (): void => {
    const filled = Math.min(Math.round((done / steps) * WIDTH), WIDTH);
    out.write(`\r\u001b[K${title} [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${Math.floor((done / steps) * 100)} %`);
  };
  draw();
  return {
    step: () => {
      done++;
      draw();
    },
    end: () => out.write('\r\u001b[K'),
  };
}
