/* A dish on the menu. One tap adds it; then the same place counts. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useComputed } from '@preact/signals';
import { CircleOff, CircleX, Hourglass } from 'lucide-preact';
import type { Food } from '../api';
import { money } from '../format';
import { quantityOf } from '../state/cart';
import { canOrder, isSoldOut } from '../state/menu';
import { FoodPicture } from './food_picture';
import { Refusal, Stepper } from './stepper';

const FEW = 5;

/* One observer for all cards: tells each whether its text is cut off. */
const watched = new WeakMap<Element, () => void>();
const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => watched.get(target)?.()));

function Description({ food: { name, description } }: { food: Food }) {
  const text = useRef<HTMLParagraphElement>(null);
  const [isCut, setCut] = useState(false);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const element = text.current!;
    watched.set(element, () => {
      if (element.classList.contains('cut'))
        setCut(element.scrollHeight > element.clientHeight + 1);
    });
    observer.observe(element);
    return () => observer.unobserve(element);
  }, []);
  return (
    <div class="dish-text" dir="auto">
      <p ref={text} class={isOpen ? '' : 'cut'}>{description}</p>
      {(isCut || isOpen) && (
        <button class="dish-more" type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <span>{isOpen ? 'Less' : 'More'}<span class="visually-hidden"> about {name}</span></span>
        </button>
      )}
    </div>
  );
}

function State({ food }: { food: Food }) {
  if (!food.available)
    return <span class="tag"><CircleOff size={16} aria-hidden="true" /> Not available now</span>;
  if (isSoldOut(food))
    return <span class="tag"><CircleX size={16} aria-hidden="true" /> Sold out</span>;
  if (food.stock !== null && food.stock <= FEW)
    return <span class="tag wait"><Hourglass size={16} aria-hidden="true" /> Only {food.stock} left</span>;
  return null;
}

export interface FoodCardProps {
  food: Food;
  first: boolean; // seen without scrolling
  pictures: boolean; // the shop has some
}

export function FoodCard({ food, first, pictures }: FoodCardProps) {
  const chosen = useComputed(() => quantityOf(food.id) > 0).value;
  const can = canOrder(food);
  return (
    <li class={`dish ${can ? '' : 'out'} ${chosen ? 'chosen' : ''}`} id={`dish-${food.id}`}>
      {pictures && <FoodPicture url={food.image_url} first={first} />}
      <div class="dish-body">
        <State food={food} />
        <h3 dir="auto">{food.name}</h3>
        {food.description && <Description food={food} />}
        <Refusal id={food.id} />
        <div class="dish-foot">
          <span class="price">{money(food.price)}</span>
          <Stepper food={food} canAdd={can} />
        </div>
      </div>
    </li>
  );
}
