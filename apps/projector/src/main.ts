import { adoptionMigrations } from '@foothold/adoption';
import { eventLogMigrations } from '@foothold/event-log';
import { runProcess } from '@foothold/platform';
import { ProjectorModule } from './projector.module.js';

await runProcess({ name: 'projector', modules: [ProjectorModule], migrations: [...eventLogMigrations, ...adoptionMigrations], listens: false });
