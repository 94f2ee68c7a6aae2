/** A real browser without a window, for specs of what runs in pages. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
/** Nothing that would talk to anybody but the pages under test. */
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Starts it with a profile of its own, which is gone when it is closed. @throws Error saying how to get one, when there is none */
export async function openChromium(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? found();
  if (!executablePath) throw new Error(`this spec needs a real browser and none of ${NAMES.join(', ')} is on the PATH: apt-get install chromium, or set CHROMIUM to where one is`);
  return chromium.launch({ executablePath, args: FLAGS, env: { PATH: process.env['PATH'], HOME: process.env['HOME'] } });
}

function found(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(canRun);
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
