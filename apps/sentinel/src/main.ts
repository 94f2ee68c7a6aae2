import { adoptionMigrations } from '@foothold/adoption';
import { eventLogMigrations } from '@foothold/event-log';
import { runProcess } from '@foothold/platform';
import { SentinelModule } from './sentinel.module.js';

await runProcess({ name: 'sentinel', modules: [SentinelModule], migrations: [...eventLogMigrations, ...adoptionMigrations], listens: false });
