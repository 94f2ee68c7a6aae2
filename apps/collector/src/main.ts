import { adoptionMigrations } from '@foothold/adoption';
import { eventLogMigrations } from '@foothold/event-log';
import { runProcess } from '@foothold/platform';
import { CollectorModule } from './collector.module.js';

await runProcess({ name: 'collector', modules: [CollectorModule], migrations: [...eventLogMigrations, ...adoptionMigrations], listens: true });
