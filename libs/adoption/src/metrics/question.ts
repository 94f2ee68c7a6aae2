/** From what somebody asks to a question that can be answered, or an error that names the choices. */
import { GRAINS, WrongInput, type Dimension, type Grain } from '@foothold/contract';
import { dayNumber } from '../local-day.js';
import { CATALOGUE } from './catalogue.js';
import { type MetricDeclaration } from './metric.js';

/** As asked: text of a flag or a query string; left out means the default. */
export interface Asked {
  metric: string;
  grain?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  by?: string | undefined;
}

/** Days are local days since 1970, both ends included; null: as far as there is anything. */
export interface Question {
  metric: MetricDeclaration;
  grain: Grain;
  from: number | null;
  to: number | null;
  by: Dimension[];
}

/**
 * Understands a question.
 * @throws WrongInput naming the field, what is wrong and what may be asked instead.
 */
export function understand(asked: Asked): Question {
  const metric = CATALOGUE.find((declaration) => declaration.id === asked.metric);
  if (!metric) throw new WrongInput('metric', `there is no metric "${asked.metric}"`, `choose one of ${CATALOGUE.map(({ id }) => id).join(', ')}`);
  return { metric, grain: grainOf(metric, asked.grain), ...rangeOf(asked), by: dimensionsOf(metric, asked.by) };
}

function grainOf(metric: MetricDeclaration, asked: string | undefined): Grain {
  const grain = asked ?? (metric.grains.includes('all') ? 'all' : metric.grains[0]!);
  if (!(GRAINS as readonly string[]).includes(grain)) throw new WrongInput('grain', `"${grain}" is no grain`, `choose one of ${metric.grains.join(', ')}`);
  if (!(metric.grains as readonly string[]).includes(grain)) {
    throw new WrongInput('grain', `${metric.id} has no grain ${grain}`, `choose one of ${metric.grains.join(', ')}`);
  }
  return grain as Grain;
}

function rangeOf({ from, to }: Asked): { from: number | null; to: number | null } {
  const day = (field: string, text: string | undefined): number | null => {
    if (text === undefined) return null;
    const number = dayNumber(text);
    if (number === undefined) throw new WrongInput(field, `"${text}" is no day`, 'write a day as YYYY-MM-DD, for instance 2026-01-31');
    return number;
  };
  const range = { from: day('from', from), to: day('to', to) };
  if (range.from !== null && range.to !== null && range.from > range.to) {
    throw new WrongInput('from', `${from} is after ${to}`, 'give the earlier day as from and the later as to');
  }
  return range;
}

function dimensionsOf(metric: MetricDeclaration, asked: string | undefined): Dimension[] {
  if (asked === undefined || asked === '') return [];
  const by = asked.split(',').map((part) => part.trim());
  for (const dimension of by) {
    if (!(metric.dimensions as readonly string[]).includes(dimension)) {
      throw new WrongInput('by', `${metric.id} has no dimension "${dimension}"`, metric.dimensions.length > 0 ? `choose from ${metric.dimensions.join(', ')}` : 'ask without by');
    }
  }
  if (new Set(by).size < by.length) throw new WrongInput('by', 'a dimension is named twice', 'name each dimension once');
  return by as Dimension[];
}
