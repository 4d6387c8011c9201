/* A page about one thing, which its address names by number; what is no number is no page. */
import type { JSX } from 'preact';
import { NotFoundPage } from '../pages/not_found';

export const numbered = (page: (id: number) => JSX.Element) => ({ id = '' }: { id?: string }) =>
  (/^\d{1,15}$/.test(id) ? page(Number(id)) : <NotFoundPage />);
