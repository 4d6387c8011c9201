/* The staff's pages, in one file of the build: customers never fetch it. */
import { Route, Router } from 'preact-iso/router';
import { NotFoundPage } from '../pages/not_found';
import { BoardPage } from './board';
import { CustomersPage } from './customers';
import { FoodPage } from './food';
import { MenuManagerPage } from './menu';
import { AdminOrderPage } from './order';
import { AdminOrdersPage } from './orders';
import { PaymentsPage } from './payments';
import { PrintPage } from './print';
import { SalesPage } from './sales';
import { SettingsPage } from './settings';

interface OfOne { id?: string }
const isId = (id = '') => /^\d{1,15}$/.test(id);

const Order = ({ id }: OfOne) => (isId(id) ? <AdminOrderPage key={id} id={Number(id)} /> : <NotFoundPage />);
const Ticket = ({ id }: OfOne) => (isId(id) ? <PrintPage key={id} id={Number(id)} what="ticket" /> : <NotFoundPage />);
const Receipt = ({ id }: OfOne) => (isId(id) ? <PrintPage key={id} id={Number(id)} what="receipt" /> : <NotFoundPage />);
const Food = ({ id }: OfOne) => (isId(id) ? <FoodPage key={id} id={Number(id)} /> : <NotFoundPage />);
const NewFood = () => <FoodPage id={null} />;

export function AdminPages() {
  return (
    <Router>
      <Route path="/" component={BoardPage} />
      <Route path="/orders" component={AdminOrdersPage} />
      <Route path="/orders/:id" component={Order} />
      <Route path="/orders/:id/ticket" component={Ticket} />
      <Route path="/orders/:id/receipt" component={Receipt} />
      <Route path="/menu" component={MenuManagerPage} />
      <Route path="/menu/new" component={NewFood} />
      <Route path="/menu/:id" component={Food} />
      <Route path="/customers" component={CustomersPage} />
      <Route path="/payments" component={PaymentsPage} />
      <Route path="/sales" component={SalesPage} />
      <Route path="/settings" component={SettingsPage} />
      <Route default component={NotFoundPage} />
    </Router>
  );
}
