/** What is typed after `npm run demo --`, and the words for what is typed wrong. */
import { describe, expect, it } from '@jest/globals';
import { deploymentOf, flagsOf, type Flags } from './flags.js';
import { NINE_MONTHS } from './organisation.js';

describe('flags', () => {
  it('are none, or any of four', () => {
    expect(flagsOf([])).toEqual({ plan: NINE_MONTHS, fresh: false, exit: false, help: false });
    expect(flagsOf(['--people', '40', '--weeks=10', '--fresh', '--exit'])).toEqual({ plan: { ...NINE_MONTHS, people: 40, weeks: 10 }, fresh: true, exit: true, help: false });
  });

  it.each([
    [['--people', '19'], '--people: "19" does not fit. Write a whole number from 20 to 1000'],
    [['--people', '1e3'], '--people: "1e3" does not fit. Write a whole number from 20 to 1000'],
    [['--weeks', '6'], '--weeks: "6" does not fit. Write a whole number from 7 to 53'],
    [['--weeks', ''], '--weeks: "" does not fit. Write a whole number from 7 to 53'],
    [['--people'], "Option '--people <value>' argument missing"],
    [['--exit=yes'], "Option '--exit' does not take an argument"],
    [['--port', '1'], "Unknown option '--port'"],
    [['fast'], "Unexpected argument 'fast'. This command does not take positional arguments"],
  ])('%j is wrong usage', (args, words) => {
    expect(flagsOf(args)).toEqual({ wrong: expect.stringContaining(`npm run demo: ${words}`) });
  });

  it('of other plans lead to deployments of their own', () => {
    const plans = [[], ['--people', '40'], ['--weeks', '10'], ['--people', '40', '--weeks', '10']].map((args) => (flagsOf(args) as Flags).plan);
    expect(plans.map(deploymentOf)).toEqual(['nordlys', 'nordlys-40-people-39-weeks', 'nordlys-300-people-10-weeks', 'nordlys-40-people-10-weeks']);
  });
});
