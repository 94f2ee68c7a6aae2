import { adoptionMigrations } from '@foothold/adoption';
import { eventLogMigrations } from '@foothold/event-log';
import { runProcess } from '@foothold/platform';
import { ApiModule } from './api.module.js';

await runProcess({ name: 'api', modules: [ApiModule], migrations: [...eventLogMigrations, ...adoptionMigrations], listens: true });
