export interface Product {
  sku: string
  name: string
  category: string
  /** In cents. */
  price: number
}

/** What the shop sells: each category with its weight in visits, and products with prices in whole cents. */
const CATEGORIES: [category: string, weight: number, products: [name: string, price: number][]][] = [
  [
    'shoes',
    16,
    [
      ['Trail Runner', 11900],
      ['City Sneaker', 8990],
      ['Leather Boot', 17900],
      ['Canvas Slip-on', 4950],
    ],
  ],
  [
    'jackets',
    12,
    [
      ['Rain Shell', 14900],
      ['Down Parka', 28900],
      ['Fleece Zip', 7995],
      ['Windbreaker', 8900],
    ],
  ],
  [
    'shirts',
    13,
    [
      ['Oxford Shirt', 5990],
      ['Linen Shirt', 6490],
      ['Merino Tee', 4990],
      ['Flannel Shirt', 5450],
    ],
  ],
  [
    'trousers',
    9,
    [
      ['Chino', 6990],
      ['Hiking Pants', 8950],
      ['Slim Jeans', 7990],
    ],
  ],
  [
    'bags',
    10,
    [
      ['Day Pack 22 l', 8900],
      ['Weekender', 12900],
      ['Messenger Bag', 7450],
      ['Tote', 2990],
    ],
  ],
  [
    'watches',
    5,
    [
      ['Field Watch', 18900],
      ['Diver 200 m', 34900],
      ['Sport Tracker', 12900],
    ],
  ],
  [
    'accessories',
    11,
    [
      ['Wool Beanie', 2450],
      ['Leather Belt', 3990],
      ['Sunglasses', 8900],
      ['Scarf', 3450],
    ],
  ],
  [
    'outdoor',
    8,
    [
      ['Two-person Tent', 24900],
      ['Sleeping Mat', 6990],
      ['Head Torch', 3995],
      ['Stove', 5490],
    ],
  ],
  [
    'home',
    6,
    [
      ['Enamel Mug', 1290],
      ['Wool Blanket', 8900],
      ['Candle', 1850],
      ['Cutting Board', 3900],
    ],
  ],
  [
    'kids',
    5,
    [
      ['Rain Boots', 2990],
      ['School Bag', 5900],
      ['Knit Sweater', 3490],
    ],
  ],
  [
    'sports',
    4,
    [
      ['Yoga Mat', 3990],
      ['Kettlebell 12 kg', 4450],
      ['Running Vest', 7900],
    ],
  ],
  [
    'gift_cards',
    1,
    [
      ['Gift Card 25', 2500],
      ['Gift Card 50', 5000],
      ['Gift Card 100', 10000],
    ],
  ],
]

export const CATALOGUE: { weight: number; category: string; products: Product[] }[] = CATEGORIES.map(
  ([category, weight, products]) => ({
    category,
    weight,
    products: products.map(([name, price], i) => ({
      sku: `${category.slice(0, 3).toUpperCase()}-${101 + i}`,
      name,
      category,
      price,
    })),
  }),
)

/** Cents as a decimal: `19.99`. */
export function formatCents(cents: number): string {
  const digits = String(Math.abs(cents)).padStart(3, '0')
  return `${cents < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}
