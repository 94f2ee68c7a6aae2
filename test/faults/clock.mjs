/**
 * Shifts the wall clock of the process it is loaded into (`--import`): Date.now() and new Date(), by FAULTS_CLOCK_MS from
 * the start and by FAULTS_JUMP_MS more at each SIGUSR2. It covers what JavaScript reads; timers and performance.now() run
 * on, as they do when a machine's clock is set, and Postgres and Kafka keep their own clocks.
 */
const RealDate = Date;
let shift = Number(process.env.FAULTS_CLOCK_MS ?? 0);
const jump = Number(process.env.FAULTS_JUMP_MS ?? 0);

globalThis.Date = class Date extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + shift);
    else super(...parts);
  }
  static now() {
    return RealDate.now() + shift;
  }
};

process.on('SIGUSR2', () => {
  shift += jump;
  process.stderr.write(`the clock was set by ${jump} ms\n`);
});
