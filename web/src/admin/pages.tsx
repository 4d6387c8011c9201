/* The staff's pages, in one file of the build: customers never fetch it. */
import { Route, Router, useLocation } from 'preact-iso/router';
import { NotFoundPage } from '../pages/not_found';
import { numbered } from '../parts/numbered';
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
import { Watch } from './watch';

const Order = numbered((id) => <AdminOrderPage key={id} id={id} />);
const Ticket = numbered((id) => <PrintPage key={id} id={id} what="ticket" />);
const Receipt = numbered((id) => <PrintPage key={id} id={id} what="receipt" />);
const Food = numbered((id) => <FoodPage key={id} id={id} />);
const NewFood = () => <FoodPage id={null} />;

const PAPER = /\/(ticket|receipt)$/; // a tab that is opened to print, and closes

export function AdminPages() {
  const { path } = useLocation();
  return (
    <>
      {!PAPER.test(path) && <Watch />}
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
    </>
  );
}
